import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { loadLibc } from '../../../src/pinger/net/libc.js';
import { socketOnInterface } from '../../../src/pinger/net/tcp.js';
import { startListener } from '../../support/far-end.js';
import { skipOf } from '../../support/udp-rig.js';

describe('a TCP socket that is bound to an interface', skipOf('kernel'), () => {
  test('connects over it', async (t) => {
    const { port } = await startListener(t, (far) => far.end('hello'));
    const socket = socketOnInterface(loadLibc(), 4, 'lo');
    t.after(() => socket.destroy());
    socket.connect({ host: '127.0.0.1', port });
    const [bytes] = await once(socket, 'data');
    assert.equal(String(bytes), 'hello');
  });

  test('is not opened for an interface that does not exist, and its descriptor is closed', () => {
    const libc = loadLibc();
    const closed: number[] = [];
    const close = (fd: number) => {
      closed.push(fd);
      return libc.close(fd);
    };
    assert.throws(() => socketOnInterface({ ...libc, close }, 6, 'nowhere0'), {
      code: /^(?:ENODEV|EPERM)$/,
    });
    assert.equal(closed.length, 1);
  });

  test('is not opened while the process has no descriptor left', () => {
    const libc = { ...loadLibc(), socket: () => -1, errno: () => 24 };
    assert.throws(() => socketOnInterface(libc, 4, 'lo'), { code: 'EMFILE', syscall: 'socket' });
  });
});
