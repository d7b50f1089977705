import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, readCorpus, replaced } from '../support/corpus.js';
import { questionOf, typeOf } from '../support/corpus-dns.js';
import { address, fakeDns, type ReceivedQuery, reply, type Script } from '../support/dns-server.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { startLivePeer } from '../support/live-peer.js';
import { eventually } from '../support/process.js';

/** The placeholders in the files for the queried name and for the port of the far end. */
const NAME = '\x04name';
const PORT = Buffer.from([0xfe, 0xfe]);

/** Each case with its own name, as long as the one in its file. */
const cases = readCorpus('dns').map((one, index) => {
  const label = `c${String(index).padStart(3, '0')}`;
  return { ...one, type: typeOf(one), label, domain: `${label}.test`, bytes: bytesOf(one) };
});

/** A server that answers with the file of a name, and validly for all other names. */
function script(port: number): Script {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return (query) => {
    const one = cases.find(({ domain }) => `.${query.name}`.toLowerCase().endsWith(`.${domain}`));
    if (one === undefined) return [reply(query)];
    if (query.type !== one.type || query.name !== questionOf(one.type, one.domain)) {
      return [good(query, port)];
    }
    const answer = replaced(named(one.bytes, one.label), PORT, portBytes);
    if (answer.length >= 2) answer.writeUInt16BE(query.packet.id ?? 0);
    return [answer];
  };
}

/** The bytes with this label, in capitals if the file has capitals. */
function named(bytes: Buffer, label: string): Buffer {
  const lower = replaced(bytes, Buffer.from(NAME), Buffer.from(`\x04${label}`));
  const [upper, to] = [NAME.toUpperCase(), `\x04${label.toUpperCase()}`];
  return replaced(lower, Buffer.from(upper), Buffer.from(to));
}

function good(query: ReceivedQuery, port: number): Buffer {
  const { name, type } = query;
  if (type === 'A') return reply(query, { answers: [address(name, '127.0.0.1')] });
  if (type !== 'SRV' || !name.startsWith('_sip._udp.')) return reply(query);
  const target = `gw.${name.slice('_sip._udp.'.length)}`;
  const data = { priority: 0, weight: 0, port, target };
  return reply(query, { answers: [{ type: 'SRV', name, ttl: 60, data }] });
}

test('with each DNS answer of the corpus, the destination is up or down as in verdicts.txt, and no other ping is lost', async (t) => {
  const live = await startLivePeer(t);
  const farEnd = await startFarEnd(t, 'udp', (_request, answer) => [answer]);
  const dns = await fakeDns(t, script(farEnd.port));
  const destinations = cases.map(({ file, type, domain }) => {
    // With a port only addresses are queried (RFC 3263 4.2).
    return { name: file, uri: type === 'A' ? `sip:${domain}:${farEnd.port}` : `sip:${domain}` };
  });
  const exporter = await startExporter(t, {
    ...{ dns: { servers: [dns.label], timeout: 1 }, ping_interval: 3, ping_timeout: 2 },
    destinations: [live.destination, ...destinations],
  });
  for (const { file, verdict } of cases) {
    const [, , wanted] = verdict;
    await eventually(
      `${file} is ${wanted}`,
      async () => {
        const { state } = await exporter.destination(file);
        return state !== 'unknown' && (wanted === 'any' || state === wanted);
      },
      60_000,
    );
  }
  await live.holds(exporter);
  assert.ok(cases.every(({ domain }) => dns.queries.some(({ name }) => name.endsWith(domain))));
});
