/**
 * Sends the same datagram at a constant rate through the exporter's kernel sockets, and reads answers and
 * timestamps: what the sockets cost without SIP, after a warm-up of one second.
 *
 * usage: bare-udp RATE SECONDS PORT TICK_MS      prints "DATAGRAMS ANSWERS CPU_MICROSECONDS"
 */

import { KernelUdp } from '../../src/pinger/net/kernel-udp.js';
import { loadLibc } from '../../src/pinger/net/libc.js';
import { sockaddrWords } from '../../src/pinger/net/sockaddr.js';
import { Descriptors } from '../../src/shared/ledger/descriptors.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import { address } from '../far-end.js';

const WARM_UP_MS = 1000;
/** Answers count for this long after the last send. */
const GRACE_MS = 500;

const [rate = 0, seconds = 0, port = 0, tickMs = 0] = process.argv.slice(2).map(Number);
const request = Buffer.from(
  [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK0123456789abcdef0123456789abcdef;rport',
    'Max-Forwards: 70',
    'From: <sip:keepalive@127.0.0.1>;tag=0123456789abcdef',
    'To: <sip:127.0.0.1>',
    'Call-ID: 0123456789abcdef0123456789abcdef',
    'CSeq: 1 OPTIONS',
    'Contact: <sip:keepalive@127.0.0.1:5060>',
    'Accept: application/sdp',
    'Allow: OPTIONS',
    'User-Agent: sip-keepalive-exporter',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n'),
);
let answered = 0;
let sent = 0;
let sentAtStart = 0;
let cpuAtStart: NodeJS.CpuUsage | undefined;

const udp = new KernelUdp({
  libc: loadLibc(),
  now: () => performance.now(),
  descriptors: new Descriptors(createLedger()),
  onDropped: () => {},
  onQueued: () => {},
  onErrorStorm: () => {},
  onShortfall: () => {},
});
const socket = udp.open(
  { family: 4, address: '127.0.0.1', port: 0, dscp: 0, interfaceName: '' },
  {
    message: () => {
      if (cpuAtStart !== undefined) answered++;
    },
    networkError: () => {},
  },
);
const peers = Array.from({ length: rate }, (_, i) => sockaddrWords(4, address(i), port));
const sender = { handedOver: () => {}, stamped: () => {}, failed: () => {} };
const began = performance.now();

const timer = setInterval(() => {
  const elapsedMs = performance.now() - began;
  udp.drain();
  if (elapsedMs >= WARM_UP_MS && cpuAtStart === undefined) {
    cpuAtStart = process.cpuUsage();
    sentAtStart = sent;
  }
  if (elapsedMs >= WARM_UP_MS + 1000 * seconds) return finish();
  for (const due = (elapsedMs * rate) / 1000; sent < due; sent++) {
    const peer = peers[sent % rate];
    if (peer !== undefined) udp.send(socket, request, peer, sender);
  }
  udp.flush();
}, tickMs);

function finish(): void {
  clearInterval(timer);
  const { user, system } = process.cpuUsage(cpuAtStart);
  setTimeout(() => {
    udp.drain();
    console.log(`${sent - sentAtStart} ${answered} ${user + system}`);
    udp.closeAll();
  }, GRACE_MS);
}
