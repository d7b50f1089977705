/** The thread that runs a target, so that an input that hangs can be detected and saved. */

import { parentPort, workerData } from 'node:worker_threads';
import { Fuzzer } from './fuzzer.js';
import { TARGETS } from './targets.js';

export type FuzzMessage =
  | { readonly kind: 'finding'; readonly input: Uint8Array; readonly error: string }
  | { readonly kind: 'end'; readonly text: string };

interface Task {
  readonly name: string;
  readonly seconds: number;
  readonly seed: number;
  readonly journal: SharedArrayBuffer;
}

const { name, seconds, seed, journal }: Task = workerData;
const counts = new Int32Array(journal, 0, 2);
const bytes = new Uint8Array(journal, 8);
const say = (message: FuzzMessage) => parentPort?.postMessage(message);
const target = TARGETS.get(name);
if (target === undefined) throw new Error(`no target ${name}`);

const endMs = performance.now() + seconds * 1000;
const { executions, kept, covered } = await new Fuzzer({
  target,
  seed,
  isOver: () => performance.now() >= endMs,
  begin: (input) => {
    const written = input.subarray(0, bytes.length);
    bytes.set(written);
    Atomics.store(counts, 1, written.length);
    Atomics.add(counts, 0, 1);
  },
  onFinding: ({ input, error }) =>
    say({ kind: 'finding', input, error: error.stack ?? error.message }),
}).run();
say({
  kind: 'end',
  text: `${executions} executions in ${seconds} s, ${kept} inputs kept, ${covered} characters of code covered`,
});
