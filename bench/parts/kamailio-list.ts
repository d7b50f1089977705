/** The list of a running Kamailio: cost for the main thread. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { percentile } from '../samples.js';

const SCRIPT = fileURLToPath(new URL('../children/kamailio-list.js', import.meta.url));
const DESTINATIONS = 10_000;
const SETS = 20;
/** The first read, and those with other states of the same destinations. */
const READS = 6;
const MAX_CPU_MS = 500;
const MAX_SLICE_MS = 20;

interface Read {
  readonly ms: number;
  readonly destinations: number;
  readonly errors: readonly string[];
}

export async function kamailioList({ stage, say }: Bench): Promise<readonly Row[]> {
  say(`a running Kamailio lists ${grouped(DESTINATIONS)} destinations`);
  let responses = 0;
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(answer(responses++ % 2 === 0 ? 'AP' : 'IP'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address();
  const url = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/RPC`;
  try {
    const measure = (mode: 'total' | 'slices') => {
      const command = [process.execPath, SCRIPT, url, String(READS), mode];
      return stage.during(command, async (child) => {
        const times: number[] = [];
        while (times.length < READS) times.push(timeOf(JSON.parse(await child.line())));
        return times;
      });
    };
    return rowsOf(await measure('total'), await measure('slices'));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** @throws when the list was not read completely. */
function timeOf({ ms, destinations, errors }: Read): number {
  if (destinations === DESTINATIONS && errors.length === 0) return ms;
  throw new Error(`expected ${DESTINATIONS} destinations, got ${destinations} ${errors.join()}`);
}

function rowsOf(totals: readonly number[], slices: readonly number[]): readonly Row[] {
  const [firstMs = Number.NaN, ...others] = totals;
  const otherMs = percentile(others, 0.5);
  const sliceMs = Math.max(...slices);
  const part = 'change';
  return [
    {
      ...{
        part,
        what: `${grouped(DESTINATIONS)} destinations of a running Kamailio: CPU time of the main thread`,
      },
      figure: `${duration(1000 * firstMs)}, with other states ${duration(1000 * otherMs)}`,
      ...{ goal: 'under 500 ms', verdict: atMost(firstMs, MAX_CPU_MS) },
    },
    {
      ...{ part, what: 'its longest slice meanwhile', figure: duration(1000 * sliceMs) },
      ...{ goal: 'under 20 ms', verdict: atMost(sliceMs, MAX_SLICE_MS) },
    },
  ];
}

/** As Kamailio 5.6 sends it; a tenth of the destinations has the given flags. */
function answer(flags: string): string {
  const destination = (n: number) => {
    const duid = `gw${n}`;
    return {
      URI: `sip:10.${n >> 14}.${(n >> 7) & 127}.${n & 127}:5060`,
      ...{ FLAGS: n % 10 === 0 ? flags : 'AP', PRIORITY: 0 },
      ATTRS: {
        ...{ BODY: `duid=${duid};weight=50;carrier=c${n % 50}`, DUID: duid, MAXLOAD: 0 },
        ...{ WEIGHT: 50, RWEIGHT: 0, SOCKET: null, SOCKNAME: null, OBPROXY: null },
      },
    };
  };
  const size = DESTINATIONS / SETS;
  const sets = Array.from({ length: SETS }, (_, set) => {
    const targets = Array.from({ length: size }, (_one, i) => destination(set * size + i));
    return { SET: { ID: set + 1, TARGETS: targets.map((one) => ({ DEST: one })) } };
  });
  const result = { NRSETS: SETS, RECORDS: sets };
  return JSON.stringify({ jsonrpc: '2.0', result, id: 1 }, undefined, '\t');
}
