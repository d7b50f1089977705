/** The functions of libc that kernel UDP needs, called through `koffi`. */

import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { CLOCK_REALTIME, TIMESPEC } from './layout.js';

/** Each function returns -1 on failure; `errno` has the reason until the next call. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Buffer, length: number): number;
  connect(fd: number, address: Buffer, length: number): number;
  getsockname(fd: number, address: Buffer, length: Buffer): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  sendmmsg(fd: number, messages: Buffer, count: number, flags: number): number;
  recvmmsg(fd: number, messages: Buffer, count: number, flags: number, timeout: null): number;
  close(fd: number): number;
  clock_gettime(clock: number, time: Buffer): number;
  errno(): number;
  /** The memory address of a Buffer's bytes. */
  address(buffer: Buffer): bigint;
}

const SIGNATURES = [
  'int socket(int, int, int)',
  'int bind(int, void *, uint)',
  'int connect(int, void *, uint)',
  'int getsockname(int, void *, void *)',
  'int setsockopt(int, int, int, void *, uint)',
  'int getsockopt(int, int, int, void *, void *)',
  'int sendmmsg(int, void *, uint, int)',
  'int recvmmsg(int, void *, uint, int, void *)',
  'int close(int)',
  'int clock_gettime(int, void *)',
] as const;

/** The used part of the package, which is optional. */
interface Koffi {
  load(library: string | null): { func(signature: string): unknown };
  errno(): number;
  address(buffer: Buffer): bigint;
}

/** Kernel UDP is not available on this system. */
export class LibcError extends Error {
  override readonly name = 'LibcError';
}

let loaded: Libc | undefined;

/** @throws LibcError on another system, or when `koffi` or libc cannot be loaded. */
export function loadLibc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  const { platform, arch } = process;
  if (platform !== 'linux') throw new LibcError(`expected Linux, got ${platform}`);
  const is64Bit = arch === 'x64' || arch === 'arm64' || arch === 'riscv64' || arch === 'loong64';
  if (!is64Bit || endianness() !== 'LE') {
    throw new LibcError(`expected a 64-bit little-endian machine, got ${arch}`);
  }
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch (error) {
    throw new LibcError(`koffi cannot be loaded: ${firstLine(error)}`, { cause: error });
  }
  try {
    // The program itself: it has a libc, glibc or musl, whatever the name of its file.
    const library = koffi.load(null);
    const functions = SIGNATURES.map((signature) => {
      const [, called = ''] = /(\w+)\(/.exec(signature) ?? [];
      return [called, library.func(signature)] as const;
    });
    const libc = {
      ...Object.fromEntries(functions),
      errno: () => koffi.errno(),
      address: (buffer: Buffer) => koffi.address(buffer),
    } as unknown as Libc;
    check(libc);
    return libc;
  } catch (error) {
    throw new LibcError(`libc cannot be used: ${firstLine(error)}`, { cause: error });
  }
}

/** Whether what was loaded is libc, memory is where we think it is, and the kernel has the calls. */
function check(libc: Libc): void {
  const time = Buffer.from(new ArrayBuffer(TIMESPEC.bytes));
  const isRead = libc.clock_gettime(CLOCK_REALTIME, time) === 0;
  const seconds = time.readUInt32LE(TIMESPEC.seconds);
  if (!isRead || Math.abs(seconds - Date.now() / 1000) > 10) {
    throw new LibcError('clock_gettime gives another time than Date');
  }
  for (const call of ['recvmmsg', 'sendmmsg'] as const) {
    libc[call](-1, time, 0, 0, null);
    const code = getSystemErrorName(-libc.errno());
    if (code !== 'EBADF') throw new LibcError(`${call}: ${code}`);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
