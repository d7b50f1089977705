/** Meets the challenges of one target, within the pings that meet them. */

import type { Credentials } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import { secretIn } from '../../shared/secret-file.js';
import { type Account, type ChallengeSource, DigestClient } from './digest.js';

/** Requests of one ping that challenges may lead to, the first included. */
const MAX_REQUESTS = 3;

export class Authenticator {
  readonly #credentials: Credentials;
  readonly #files: Files;
  readonly #digest: DigestClient;
  #requests = 0;
  /** Who asked last in this ping. */
  #lastAsker: ChallengeSource | undefined;

  constructor(credentials: Credentials, files: Files, newCnonce: () => string) {
    this.#credentials = credentials;
    this.#files = files;
    this.#digest = new DigestClient(newCnonce);
  }

  /** A ping begins. */
  startPing(): void {
    this.#requests = 0;
    this.#lastAsker = undefined;
  }

  /** The headers of the next request: what meets the challenges that are known. */
  headers(method: string, uri: string): readonly (readonly [name: string, value: string])[] {
    this.#requests++;
    try {
      return this.#digest.headers(this.#account(), method, uri);
    } catch {
      // The file with the password cannot be read: the challenge that follows tells it.
      return [];
    }
  }

  /** Takes a challenge; returns why no further request can meet it, undefined when one can. */
  takeChallenge(asker: ChallengeSource, response: Uint8Array): string | undefined {
    const why = this.#whyUnmet(asker, response);
    if (why !== undefined) this.#digest.forget();
    return why;
  }

  #whyUnmet(asker: ChallengeSource, response: Uint8Array): string | undefined {
    const verdict = this.#digest.takeChallenge(asker, response);
    if (verdict.kind === 'unmet') return verdict.why;
    // RFC 3261 22.2: the same credentials are not tried again, unless only their nonce was stale.
    const wasMet = this.#lastAsker === asker && !verdict.isStale;
    this.#lastAsker = asker;
    if (wasMet) return 'our credentials were refused';
    if (this.#requests >= MAX_REQUESTS) return 'one challenge followed the other';
    try {
      this.#account();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** @throws Error when the file with the password cannot be read. */
  #account(): Account {
    const { username, password, passwordFile } = this.#credentials;
    if (passwordFile === '') return { username, password };
    return { username, password: secretIn(this.#files.text(passwordFile)) };
  }
}
