import { mkdirSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bytesOf, type Case, corpusFiles, readCorpus, replaced } from '../support/corpus.js';
import { fakeDns, reply } from '../support/dns-server.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { startLivePeer } from '../support/live-peer.js';
import { eventually, folder } from '../support/process.js';

/** A placeholder for an address that may be pinged; each source gets its own. */
const ADDRESS = Buffer.from('192.0.2.');

/** The kinds of the sources, by the folder of their cases. */
const KINDS = { dispatcher: 'dispatcher_list', kamailio: 'kamailio_cfg', 'file-sd': 'file_sd' };

interface Source {
  readonly kind: string;
  readonly one: Case;
  readonly path: string;
  /** The label `source` in the metrics. */
  readonly label: string;
  /** The expected number of destinations, or `refused`. */
  readonly wanted: string;
}

/** Writes each list to its own folder, with the files that it may include and loopback addresses. */
function writeSources(t: TestContext): Source[] {
  const root = folder(t);
  return Object.entries(KINDS).flatMap(([folderName, kind], k) =>
    readCorpus(folderName).map((one, index) => {
      const at = join(root, `${folderName}-${index}`);
      mkdirSync(at);
      const address = Buffer.from(`127.${10 + k}.${index}.`);
      const files = folderName === 'kamailio' ? corpusFiles(folderName) : [one.file];
      for (const file of files) {
        const bytes = bytesOf({ path: `test/corpus/${folderName}/${file}` });
        writeFileSync(join(at, file), replaced(bytes, ADDRESS, address));
      }
      const [wanted = ''] = one.verdict;
      const path = join(at, one.file);
      return { kind, one, path, label: `${kind} ${path}`, wanted };
    }),
  );
}

/** Serves the JSON lists over HTTP. */
async function serveLists(t: TestContext, sources: readonly Source[]): Promise<string> {
  const server = http.createServer((request, response) => {
    const source = sources.find(({ one }) => request.url === `/${one.file}`);
    response.setHeader('Content-Type', 'application/json');
    response.end(source === undefined ? '[]' : bytesOf({ path: source.path }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const at = server.address();
  return `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`;
}

async function isRead(exporter: Exporter, source: string, wanted: string): Promise<boolean> {
  const up = await exporter.metric('sip_keepalive_discovery_up', { source });
  if (wanted === 'refused') return up === 0;
  const count = await exporter.metric('sip_keepalive_discovery_destinations', { source });
  return up === 1 && count === Number(wanted);
}

test('each list of the corpus has the number of destinations in verdicts.txt, and no other ping is lost', async (t) => {
  const live = await startLivePeer(t);
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  // Names in the lists are not looked up in the real DNS.
  const dns = await fakeDns(t, (query) => [reply(query)]);
  const sources = writeSources(t);
  const byHttp = sources.filter(({ one }) => one.file.endsWith('.json'));
  const server = await serveLists(t, byHttp);
  const filesOf = (kind: string) =>
    sources.filter((source) => source.kind === kind).map(({ path }) => path);
  const exporter = await startExporter(t, {
    ...{ dns: { servers: [dns.label] }, ping_interval: 30, ping_timeout: 1 },
    destinations: [live.destination, { name: 'far', uri: `127.0.0.1:${farEnd.port}` }],
    modules: { m: {} },
    discovery: {
      dispatcher_list: filesOf('dispatcher_list').map((file) => ({ file })),
      kamailio_cfg: filesOf('kamailio_cfg').map((file) => ({ file })),
      file_sd: filesOf('file_sd').map((file) => ({ files: [file] })),
      http_sd: byHttp.map(({ one }) => ({ url: `${server}/${one.file}` })),
    },
  });
  await eventually('far', async () => (await exporter.isAlive('far')) === 1);
  const served = byHttp.map(({ one, wanted }) => {
    return { label: `http_sd ${server}/${one.file}`, wanted };
  });
  for (const { label, wanted } of [...sources, ...served]) {
    await eventually(`${label}: ${wanted}`, () => isRead(exporter, label, wanted));
  }
  await live.holds(exporter);
});
