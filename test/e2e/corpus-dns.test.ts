import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, readCorpus, replaced } from '../support/corpus.js';
import { questionOf, typeOf } from '../support/corpus-dns.js';
import { type Asked, address, fakeDns, reply, type Script } from '../support/dns-server.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { startLivePeer } from '../support/live-peer.js';
import { eventually } from '../support/process.js';

/** What stands in the files for the name that is asked for and for the far end's port. */
const NAME = '\x04name';
const PORT = Buffer.from([0xfe, 0xfe]);

/** Each case with a name of its own, as long as the one in its file. */
const cases = readCorpus('dns').map((one, index) => {
  const label = `c${String(index).padStart(3, '0')}`;
  return { ...one, type: typeOf(one), label, domain: `${label}.test`, bytes: bytesOf(one) };
});

/** A server that says what the file of a name says, and of all else the best. */
function script(port: number): Script {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return (asked) => {
    const one = cases.find(({ domain }) => `.${asked.name}`.toLowerCase().endsWith(`.${domain}`));
    if (one === undefined) return [reply(asked)];
    if (asked.type !== one.type || asked.name !== questionOf(one.type, one.domain)) {
      return [good(asked, port)];
    }
    const answer = replaced(named(one.bytes, one.label), PORT, portBytes);
    if (answer.length >= 2) answer.writeUInt16BE(asked.packet.id ?? 0);
    return [answer];
  };
}

/** The bytes with this label, in capitals where the file has it so. */
function named(bytes: Buffer, label: string): Buffer {
  const lower = replaced(bytes, Buffer.from(NAME), Buffer.from(`\x04${label}`));
  const [upper, to] = [NAME.toUpperCase(), `\x04${label.toUpperCase()}`];
  return replaced(lower, Buffer.from(upper), Buffer.from(to));
}

function good(asked: Asked, port: number): Buffer {
  const { name, type } = asked;
  if (type === 'A') return reply(asked, { answers: [address(name, '127.0.0.1')] });
  if (type !== 'SRV' || !name.startsWith('_sip._udp.')) return reply(asked);
  const target = `gw.${name.slice('_sip._udp.'.length)}`;
  const data = { priority: 0, weight: 0, port, target };
  return reply(asked, { answers: [{ type: 'SRV', name, ttl: 60, data }] });
}

test('answers of every kind from the DNS: a destination is up or down as the verdict says, and those beside lose no ping', async (t) => {
  const live = await startLivePeer(t);
  const farEnd = await startFarEnd(t, 'udp', (_request, answer) => [answer]);
  const dns = await fakeDns(t, script(farEnd.port));
  const destinations = cases.map(({ file, type, domain }) => {
    // With a port only addresses are asked for (RFC 3263 4.2).
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
  assert.ok(cases.every(({ domain }) => dns.asked.some(({ name }) => name.endsWith(domain))));
});
