/** Pings peers with the exporter, and tests with a raw client what the exporter does not do. */

import { type DestinationJson, type Exporter, startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';
import { afterLineBreaks, oneAfterTheOther, twoAtOnce } from './raw.js';
import type { Peer, Row, Scope, Stack } from './stack.js';

/** Completed pings before the results are read. */
const PINGS = 3;
const WITHIN_MS = 90_000;
const NONE = '-';

interface Subject {
  readonly stack: Stack;
  readonly peer: Peer;
  readonly name: string;
  readonly uri: string;
}

/** A row for each peer of each stack. */
export async function examine(scope: Scope, stacks: readonly Stack[]): Promise<Row[]> {
  const subjects: Subject[] = [];
  for (const stack of stacks) {
    for (const peer of await stack.start(scope)) subjects.push(subjectOf(stack, peer));
  }
  const exporter = await startExporter(scope, {
    ...{ ping_interval: 2, ping_timeout: 1.9, tls_config: { insecure_skip_verify: true } },
    destinations: subjects.flatMap(destinationsOf),
  });
  const rows: Row[] = [];
  for (const subject of subjects) rows.push(await rowOf(exporter, subject));
  return rows;
}

function subjectOf(stack: Stack, peer: Peer): Subject {
  const user = peer.user === undefined ? '' : `${peer.user}@`;
  const name = `${stack.name} over ${peer.transport}`;
  return {
    stack,
    peer,
    name,
    uri: `sip:${user}127.0.0.1:${peer.port};transport=${peer.transport}`,
  };
}

const atZero = (name: string) => `${name}, Max-Forwards 0`;
const withoutAuth = (name: string) => `${name}, no credentials`;

function destinationsOf({ name, uri, peer }: Subject): object[] {
  const { auth, ...others } = peer.settings ?? {};
  const plain = { uri, ...others };
  const authenticated = auth === undefined ? plain : { ...plain, auth };
  return [
    { ...authenticated, name },
    { ...authenticated, name: atZero(name), max_forwards: 0 },
    ...(auth === undefined ? [] : [{ ...plain, name: withoutAuth(name) }]),
  ];
}

async function rowOf(exporter: Exporter, { stack, peer, name }: Subject): Promise<Row> {
  const result = await pinged(exporter, name, PINGS);
  const zero = await pinged(exporter, atZero(name), 1);
  return {
    stack: stack.name,
    origin: stack.origin,
    transport: peer.transport.toUpperCase(),
    state: result.state,
    code: codeOf(result),
    server: result.server ?? NONE,
    digest: await digestOf(exporter, name, peer, result),
    connection: await oneAfterTheOther(peer),
    crlf: await afterLineBreaks(peer),
    two: await twoAtOnce(peer),
    maxForwards: codeOf(zero),
  };
}

/** The destination after this many pings. */
async function pinged(exporter: Exporter, name: string, pings: number): Promise<DestinationJson> {
  return eventually(
    `${name}: ${pings} pings`,
    async () => {
      const result = await exporter.destination(name);
      return (result.targets[0]?.pings ?? 0) >= pings && result;
    },
    WITHIN_MS,
  );
}

function codeOf({ targets: [target] }: DestinationJson): string {
  return String(target?.sip_code ?? target?.reason ?? NONE);
}

async function digestOf(exporter: Exporter, name: string, peer: Peer, result: DestinationJson) {
  if (peer.settings?.['auth'] === undefined) return NONE;
  const without = await pinged(exporter, withoutAuth(name), 1);
  return `${codeOf(without)}, with credentials ${codeOf(result)}`;
}
