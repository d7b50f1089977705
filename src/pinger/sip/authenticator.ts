/** Answers the digest challenges of one target within the same ping. */

import type { Credentials } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import { secretIn } from '../../shared/secret-file.js';
import { type Account, type ChallengeSource, DigestClient } from './digest.js';

/** Maximum number of requests in one ping, including the first. */
const MAX_REQUESTS = 3;

export class Authenticator {
  readonly #credentials: Credentials;
  readonly #files: Files;
  readonly #digest: DigestClient;
  #requests = 0;
  /** Source of the last challenge in this ping. */
  #lastSource: ChallengeSource | undefined;

  constructor(credentials: Credentials, files: Files, newCnonce: () => string) {
    this.#credentials = credentials;
    this.#files = files;
    this.#digest = new DigestClient(newCnonce);
  }

  /** Called at the start of each ping. */
  startPing(): void {
    this.#requests = 0;
    this.#lastSource = undefined;
  }

  /** Credentials for the next request, one header for each known challenge. */
  headers(method: string, uri: string): readonly (readonly [name: string, value: string])[] {
    this.#requests++;
    try {
      return this.#digest.headers(this.#account(), method, uri);
    } catch {
      // The password file cannot be read; the challenge that follows reports it.
      return [];
    }
  }

  /** Stores a challenge. Returns why it cannot be answered; undefined when the request can be repeated. */
  takeChallenge(source: ChallengeSource, response: Uint8Array): string | undefined {
    const problem = this.#challengeProblem(source, response);
    if (problem !== undefined) this.#digest.forget();
    return problem;
  }

  #challengeProblem(source: ChallengeSource, response: Uint8Array): string | undefined {
    const result = this.#digest.takeChallenge(source, response);
    if (result.kind === 'unsupported') return result.detail;
    // RFC 3261 22.2: the same credentials are sent again only if the nonce was stale.
    const isRepeated = this.#lastSource === source && !result.isStale;
    this.#lastSource = source;
    if (isRepeated) return 'the credentials were rejected';
    if (this.#requests >= MAX_REQUESTS) return `more than ${MAX_REQUESTS - 1} challenges in a row`;
    try {
      this.#account();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** @throws Error when the password file cannot be read. */
  #account(): Account {
    const { username, password, passwordFile } = this.#credentials;
    if (passwordFile === '') return { username, password };
    return { username, password: secretIn(this.#files.text(passwordFile)) };
  }
}
