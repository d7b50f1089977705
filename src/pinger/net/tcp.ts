/** What `node:net` lacks: TCP sockets that are bound to a network interface. */

import { Socket } from 'node:net';
import { bindToInterface } from './kernel-socket.js';
import { AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from './layout.js';
import type { Libc } from './libc.js';
import { errorCode, SystemCallError } from './system-call-error.js';

/** Returns a socket that is not connected. @throws SystemCallError when it cannot be bound. */
export function socketOnInterface(libc: Libc, family: 4 | 6, interfaceName: string): Socket {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, type, 0);
  if (fd < 0) throw new SystemCallError('socket', errorCode(libc.errno()));
  try {
    bindToInterface(libc, fd, interfaceName);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  // Node.js closes it from now on.
  return new Socket({ fd });
}
