/** Where the HTTP server listens. */

export type ListenAddress =
  | {
      readonly kind: 'tcp';
      /** Empty for all addresses. */
      readonly host: string;
      /** 0 to let the system select one. */
      readonly port: number;
    }
  /** A Unix domain socket. */
  | { readonly kind: 'unix'; readonly path: string };

/** A socket that another process, such as systemd, has opened. */
export interface OpenSocket {
  readonly kind: 'descriptor';
  readonly fd: number;
}

/** The address as a setting has it: `127.0.0.1:10060`, `unix:/run/x.sock`. */
export function listenAddressText(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
