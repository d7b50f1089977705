/** Third-party SIP stacks, each started on loopback. */

import type { TestContext } from 'node:test';
import type { TransportName } from '../../src/shared/outcome.js';

export type Scope = Pick<TestContext, 'after'>;

/** One address and transport of a running stack. */
export interface Peer {
  readonly transport: TransportName;
  readonly port: number;
  /** A user that the stack knows; undefined for a URI without a user. */
  readonly user?: string;
  /** Settings of the destination. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Stack {
  readonly name: string;
  /** Its package, with the registry if that is not Debian. */
  readonly origin: string;
  /** Whether its requirements are installed; else the reason to skip it. */
  readonly needs: () => { readonly skip: string | false };
  /** Fetched from a registry by `npm run interop`; not part of `npm test`. */
  readonly isExtra?: boolean;
  /** Starts the stack on loopback only. It stops with the scope. */
  start(scope: Scope): Promise<readonly Peer[]>;
}

/** Results of a peer; a row of the table. */
export interface Row {
  readonly stack: string;
  readonly origin: string;
  readonly transport: string;
  readonly state: string;
  readonly code: string;
  readonly server: string;
  readonly digest: string;
  readonly connection: string;
  readonly crlf: string;
  readonly two: string;
  readonly maxForwards: string;
}
