/** SIP stacks that others wrote, each run for real on loopback. */

import type { TestContext } from 'node:test';
import type { TransportName } from '../../src/shared/outcome.js';

export type Scope = Pick<TestContext, 'after'>;

/** One way to reach a stack that runs. */
export interface Peer {
  readonly transport: TransportName;
  readonly port: number;
  /** A user that it knows; without one the URI has none. */
  readonly user?: string;
  /** Settings of the destination. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Stack {
  readonly name: string;
  /** Where it comes from: a package, and which registry where that is not Debian. */
  readonly origin: string;
  /** Whether what it takes is installed; why not, where it is not. */
  readonly needs: () => { readonly skip: string | false };
  /** Comes from a registry by `npm run interop`, and is not part of `npm test`. */
  readonly isExtra?: boolean;
  /** Starts it; it ends with the scope, and contacts nothing but loopback. */
  start(scope: Scope): Promise<readonly Peer[]>;
}

/** What came of a peer, as the table has it. */
export interface Row {
  readonly stack: string;
  readonly origin: string;
  readonly transport: string;
  readonly verdict: string;
  readonly code: string;
  readonly server: string;
  readonly digest: string;
  readonly connection: string;
  readonly crlf: string;
  readonly two: string;
  readonly maxForwards: string;
}
