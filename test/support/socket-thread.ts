/** A thread with UDP sockets of the kernel, which it uses until it is terminated. */

import { parentPort, workerData } from 'node:worker_threads';
import { KernelSocket } from '../../src/pinger/net/kernel-socket.js';
import { loadLibc } from '../../src/pinger/net/libc.js';
import { sockaddr } from '../../src/pinger/net/sockaddr.js';
import { Descriptors } from '../../src/shared/ledger/descriptors.js';

const libc = loadLibc();
const descriptors = new Descriptors(workerData);
const options = { address: '', port: 0, dscp: 0, interfaceName: '' } as const;
const [four] = [4, 6].map(
  (family) => new KernelSocket(libc, descriptors, { ...options, family: family === 4 ? 4 : 6 }),
);
const peer = sockaddr(4, '127.0.0.1', 5060);
parentPort?.postMessage('open');
setInterval(() => four?.addressTowards(peer), 1);
