/** A thread that sends and receives by UDP sockets of the kernel's own until it is terminated. */

import { parentPort, workerData } from 'node:worker_threads';
import { KernelUdp } from '../../src/pinger/net/kernel-udp.js';
import { loadLibc } from '../../src/pinger/net/libc.js';
import { sockaddrWords } from '../../src/pinger/net/sockaddr.js';
import { Descriptors } from '../../src/shared/ledger/descriptors.js';

const udp = new KernelUdp({
  ...{ libc: loadLibc(), descriptors: new Descriptors(workerData), now: () => performance.now() },
  onDropped: () => {},
  onQueued: () => {},
  onErrorStorm: () => {},
  onShortfall: () => {},
});
const options = { address: '127.0.0.1', port: 0, dscp: 0, interfaceName: '' } as const;
const port = udp.open({ ...options, family: 4 }, { message: () => {}, networkError: () => {} });
const own = sockaddrWords(4, '127.0.0.1', port.socket.port);
parentPort?.postMessage('open');
setInterval(() => {
  udp.send(port, Buffer.from('ping'), own, undefined);
  udp.flush();
  udp.drain();
}, 1);
