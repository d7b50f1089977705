/** The entry of the pinger thread. */

import { parentPort, workerData } from 'node:worker_threads';
import { LedgerWriter } from '../shared/ledger/writer.js';
import type { FromPinger, PingerStart, ToPinger } from '../shared/protocol.js';
import { systemClock } from './clock.js';
import { Pinger } from './pinger.js';
import { DnsResolver } from './resolver.js';
import { UdpTransport } from './transport/udp.js';

const port = parentPort;
if (port === null) throw new Error('the pinger runs in a thread of its own');

const start: PingerStart = workerData;
const post = (message: FromPinger) => port.postMessage(message);

const pinger = new Pinger({
  clock: systemClock,
  writer: new LedgerWriter(start.ledger),
  known: start.known,
  resolver: new DnsResolver(start.dnsServers),
  openTransport: (source, onMessage) =>
    new UdpTransport({ ...source, onMessage, log: (line) => post({ type: 'log', ...line }) }),
  afterReads: setImmediate,
  post,
});

port.on('message', (message: ToPinger) => {
  if (message.type !== 'stop') return pinger.handle(message);
  pinger.close();
  port.close();
});

pinger.start();
