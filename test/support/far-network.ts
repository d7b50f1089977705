/** A host at the far end of a cable: a network namespace of its own, within that of the test. */

import { readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, run, runToEnd } from './process.js';

const ANSWERER = fileURLToPath(new URL('./answerer.js', import.meta.url));

/** Runs `ip` with these words. @throws Error when it fails. */
export function ip(words: string): void {
  command('ip', words);
}

/** Runs a program with these words. @throws Error when it fails. */
export function command(program: string, words: string): void {
  const { status, output } = runToEnd(program, words.split(' '));
  if (status !== 0) throw new Error(`${program} ${words}: ${output}`);
}

export interface FarNetwork {
  /** Connects it to the test by an interface with this name; again, where that is gone. */
  connect(name: string, address: string, farAddress: string): void;
  /** Runs a program with these words on it. */
  command(program: string, words: string): void;
}

/** @param server how it names itself to those who ping it at port 5060. */
export async function startFarNetwork(
  t: Pick<TestContext, 'after'>,
  server: string,
): Promise<FarNetwork> {
  const { child } = run(t, 'unshare', ['-n', process.execPath, ANSWERER, server]);
  const { pid = 0 } = child;
  const own = readlinkSync('/proc/self/ns/net');
  await eventually(
    'it is in a namespace of its own',
    () => readlinkSync(`/proc/${pid}/ns/net`) !== own,
  );
  const inside = (program: string, words: string) =>
    command('nsenter', `-t ${pid} -n ${program} ${words}`);
  inside('ip', 'link set lo up');
  return {
    connect: (name, address, farAddress) => {
      ip(`link add ${name} type veth peer name far-${name} netns ${pid}`);
      inside('ip', `address add ${farAddress}/24 dev far-${name}`);
      inside('ip', `link set far-${name} up`);
      ip(`address add ${address}/24 dev ${name}`);
      ip(`link set ${name} up`);
    },
    command: inside,
  };
}
