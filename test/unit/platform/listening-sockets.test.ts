import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listeningSockets } from '../../../src/platform/listening-sockets.js';
import { folder } from '../../support/process.js';

const TITLE =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const REST = '00000000:00000000 00:00000000 00000000     0        0';

/** A line of `net/tcp`. */
const tcp = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} ${REST} ${inode} 1 0000000000000000 100 0 0 10 0`;

interface Process {
  readonly files?: string;
  readonly sockets?: readonly number[];
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

/** A procfs with these processes; the first one looks. */
function procfs(t: TestContext, processes: readonly Process[]): string {
  const root = folder(t);
  const [own = {}] = processes;
  for (const [name, { files = 'mnt:[1]', sockets = [], lists = {} }] of [
    ['self', own] as const,
    ...processes.map((process, i) => [`${i + 1}`, process] as const),
  ]) {
    for (const part of ['ns', 'fd', 'net']) mkdirSync(join(root, name, part), { recursive: true });
    symlinkSync(files, join(root, name, 'ns/mnt'));
    symlinkSync('/dev/null', join(root, name, 'fd/0'));
    for (const inode of sockets) symlinkSync(`socket:[${inode}]`, join(root, name, `fd/${inode}`));
    for (const [list, lines] of Object.entries(lists))
      writeFileSync(join(root, name, 'net', list), [TITLE, ...lines, ''].join('\n'));
  }
  return root;
}

test('the listening sockets are those of the processes with the same files', (t) => {
  const lists = {
    tcp: [
      tcp('0100007F:274C', '0A', 10),
      tcp('00000000:0050', '0A', 11),
      tcp('0100007F:1F90', '01', 12),
    ],
    tcp6: [
      tcp('00000000000000000000000000000000:270F', '0A', 13),
      tcp('B80D01200000000000000000010A0000:0051', '0A', 14),
      tcp('00000000000000000000000001000000:0052', '0A', 99),
    ],
    unix: [
      '0000000000000000: 00000002 00000000 00010000 0001 01 15 /run/a b.sock',
      '0000000000000000: 00000002 00000000 00000000 0002 01 16 /run/log',
    ],
  };
  const proc = procfs(t, [
    { lists },
    { lists, sockets: [10, 11, 12, 13, 14, 15, 16] },
    { lists, sockets: [99], files: 'mnt:[2]' },
  ]);
  assert.deepEqual(listeningSockets(proc), [
    { kind: 'tcp', host: '127.0.0.1', port: 10060 },
    { kind: 'tcp', host: '', port: 80 },
    { kind: 'tcp', host: '', port: 9999 },
    { kind: 'tcp', host: '2001:db8:0:0:0:0:0:a01', port: 81 },
    { kind: 'unix', path: '/run/a b.sock' },
  ]);
});

test('a kernel without IPv6 has no list of it, and a process may end at any time', (t) => {
  const lists = { tcp: [tcp('0100007F:274C', '0A', 10)], unix: [] };
  const proc = procfs(t, [{ lists, sockets: [10] }]);
  mkdirSync(join(proc, '7'));
  assert.deepEqual(listeningSockets(proc), [{ kind: 'tcp', host: '127.0.0.1', port: 10060 }]);
});
