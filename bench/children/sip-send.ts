/**
 * Pings with `sip.send` at a constant rate, after a warm-up of one second.
 *
 * usage: sip-send RATE SECONDS PORT OWN_PORT      prints "PINGS ANSWERS CPU_MICROSECONDS"
 */

import { randomBytes } from 'node:crypto';
import * as sip from 'sip';
import { address } from '../far-end.js';

const WARM_UP_MS = 1000;
/** Responses count for this long after the last send. */
const GRACE_MS = 1000;

const [rate = 0, seconds = 0, port = 0, ownPort = 0] = process.argv.slice(2).map(Number);
// The address must differ from those of the destinations, which `send` would treat as loops.
const own = '127.0.0.1';
const stack = sip.create({ address: own, port: ownPort, tcp: false }, () => {});
const began = performance.now();
let sent = 0;
let counted = 0;
let answered = 0;
let cpuAtStart: NodeJS.CpuUsage | undefined;

const timer = setInterval(() => {
  const elapsedMs = performance.now() - began;
  if (elapsedMs >= WARM_UP_MS) cpuAtStart ??= process.cpuUsage();
  if (elapsedMs >= WARM_UP_MS + 1000 * seconds) return finish();
  for (const due = (elapsedMs * rate) / 1000; sent < due; sent++) ping(cpuAtStart !== undefined);
}, 1);

function ping(isCounted: boolean): void {
  const uri = `sip:${address(sent % rate)}:${port}`;
  if (isCounted) counted++;
  const request = {
    method: 'OPTIONS',
    uri,
    headers: {
      to: { uri },
      from: { uri: `sip:keepalive@${own}`, params: { tag: randomBytes(8).toString('hex') } },
      'call-id': randomBytes(16).toString('hex'),
      cseq: { method: 'OPTIONS', seq: 1 },
      contact: [{ uri: `sip:keepalive@${own}:${ownPort}` }],
      'max-forwards': 70,
      accept: 'application/sdp',
      'user-agent': 'sip-send',
    },
  };
  stack.send(request, (response) => {
    if (isCounted && response.status === 200) answered++;
  });
}

function finish(): void {
  clearInterval(timer);
  setTimeout(() => {
    const { user, system } = process.cpuUsage(cpuAtStart);
    console.log(`${counted} ${answered} ${user + system}`);
  }, GRACE_MS);
}
