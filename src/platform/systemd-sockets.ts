/** Socket activation: sockets that systemd has opened for this process (sd_listen_fds(3)). */

const FIRST_FD = 3;

/** systemd has passed no sockets. */
export class SystemdSocketError extends Error {
  override readonly name = 'SystemdSocketError';
}

/**
 * The descriptors of the sockets.
 *
 * @param env of the process. LISTEN_PID says whom the sockets are for, because children inherit them.
 * @throws SystemdSocketError
 */
export function systemdSockets(env: NodeJS.ProcessEnv, pid: number): readonly number[] {
  const { LISTEN_PID: listenPid = '', LISTEN_FDS: count = '' } = env;
  if (listenPid !== String(pid) || !/^[1-9]\d{0,2}$/.test(count)) {
    const got = `LISTEN_PID=${listenPid} LISTEN_FDS=${count} in process ${pid}`;
    throw new SystemdSocketError(
      `web.systemd-socket: expected sockets from systemd (a .socket unit that starts the service), got ${got}`,
    );
  }
  return Array.from({ length: Number(count) }, (_, i) => FIRST_FD + i);
}
