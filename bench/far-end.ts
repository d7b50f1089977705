/** The peer of all pings: one process that answers on one port of all addresses of 127.0.0.0/8. */

import { fileURLToPath } from 'node:url';
import { FAR_CORE, freeUdpPort, pinned } from './machine.js';
import { compiled } from './native.js';
import type { Running, Stage } from './stage.js';

/** Address of the first destination; each next one has the next address. */
const FIRST_ADDRESS = 0x7f010000;

export interface Requests {
  /** Requests without retransmissions. */
  readonly pings: number;
  readonly retransmissions: number;
}

export class FarEnd {
  readonly port: number;
  /** Written in C; the one in JavaScript may be the bottleneck. */
  readonly isNative: boolean;
  readonly #process: Running;

  private constructor(port: number, isNative: boolean, process: Running) {
    this.port = port;
    this.isNative = isNative;
    this.#process = process;
  }

  static async start(stage: Stage): Promise<FarEnd> {
    const port = await freeUdpPort();
    const native = await compiled(stage, 'responder');
    const script = fileURLToPath(new URL('./children/responder.js', import.meta.url));
    const command = native === undefined ? [process.execPath, script] : [native];
    const running = stage.start(pinned(FAR_CORE, [...command, String(port)]));
    await running.line();
    return new FarEnd(port, native !== undefined, running);
  }

  /** Requests received so far. */
  async requests(): Promise<Requests> {
    const [total = 0, retransmissions = 0] = (await this.#process.ask('')).split(' ').map(Number);
    return { pings: total - retransmissions, retransmissions };
  }

  /** URIs of `count` destinations. */
  uris(count: number): readonly string[] {
    return Array.from({ length: count }, (_, i) => `sip:${address(i)}:${this.port}`);
  }
}

/** The address of the destination with this number. */
export function address(index: number): string {
  const bits = FIRST_ADDRESS + index;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
