/**
 * Digest authentication, client side (RFC 3261 22, RFC 7616, RFC 8760): selects a challenge and computes
 * the credentials for it. A nonce is reused, with an increasing count, until the peer sends a new one.
 *
 * Texts from a peer are binary strings (one character per byte), so that realm and nonce are hashed and
 * sent back unchanged in any encoding.
 */

import { createHash } from 'node:crypto';
import { decode, printable } from '../../shared/text.js';
import { headerValues } from './headers.js';
import { word } from './scanner.js';

/** Who sent the challenge: the server (401) or a proxy (407). */
export type ChallengeSource = 'server' | 'proxy';

/** Undefined for a status code that is not a challenge. */
export function challengeSourceOf(code: number): ChallengeSource | undefined {
  if (code === 401) return 'server';
  return code === 407 ? 'proxy' : undefined;
}

export interface Account {
  readonly username: string;
  readonly password: string;
}

interface Challenge {
  /** As quoted, with escapes. */
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As the peer wrote it; undefined if absent, which means MD5. */
  readonly algorithm: string | undefined;
  readonly hash: string;
  readonly isSession: boolean;
  /** Undefined for a challenge in the older form of RFC 2069. */
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly isStale: boolean;
  /** Number of requests with this nonce. */
  uses: number;
}

/** Algorithm names in lower case (RFC 8760 2.1), and the names of their hashes in Node.js. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha256'],
  ['sha-512-256', 'sha512-256'],
]);

const CHALLENGE_HEADERS: Readonly<Record<ChallengeSource, readonly Uint8Array[]>> = {
  server: [word('www-authenticate')],
  proxy: [word('proxy-authenticate')],
};
const CREDENTIALS_HEADERS: Readonly<Record<ChallengeSource, string>> = {
  server: 'Authorization',
  proxy: 'Proxy-Authorization',
};

/** Maximum bytes of realm, nonce and opaque. */
const MAX_VALUE_LENGTH = 1024;
/** Maximum length of a value that is quoted in an error text. */
const MAX_QUOTED_LENGTH = 40;
/** Maximum number of challenges that are read from one response. */
const MAX_CHALLENGES = 8;

export type ChallengeResult =
  | { readonly kind: 'accepted'; readonly isStale: boolean }
  | { readonly kind: 'unsupported'; readonly detail: string };

export class DigestClient {
  readonly #newCnonce: () => string;
  readonly #challenges = new Map<ChallengeSource, Challenge>();

  constructor(newCnonce: () => string) {
    this.#newCnonce = newCnonce;
  }

  /** Stores the topmost supported challenge of a 401 or 407 (RFC 8760 2.4). */
  takeChallenge(source: ChallengeSource, response: Uint8Array): ChallengeResult {
    const offers = headerValues(response, CHALLENGE_HEADERS[source])
      .flatMap((value) => schemesOf(unfolded(value)))
      .slice(0, MAX_CHALLENGES)
      .map(challengeOf);
    const accepted = offers.find((offer) => typeof offer !== 'string');
    if (accepted !== undefined && typeof accepted !== 'string') {
      this.#challenges.set(source, accepted);
      return { kind: 'accepted', isStale: accepted.isStale };
    }
    const [detail = 'the response has no challenge'] = offers;
    return { kind: 'unsupported', detail: String(detail) };
  }

  /** Forgets all challenges, because the credentials for them were rejected. */
  forget(): void {
    this.#challenges.clear();
  }

  /** The credentials headers of the next request, one per challenge; values are binary strings. */
  headers(
    account: Account,
    method: string,
    uri: string,
  ): (readonly [name: string, value: string])[] {
    return [...this.#challenges].map(([source, challenge]) => {
      challenge.uses++;
      return [
        CREDENTIALS_HEADERS[source],
        this.#credentials(challenge, account, method, uri),
      ] as const;
    });
  }

  #credentials(challenge: Challenge, account: Account, method: string, uri: string): string {
    const { realm, nonce, opaque, algorithm, qop, uses } = challenge;
    const nc = uses.toString(16).padStart(8, '0');
    const cnonce = this.#newCnonce();
    const response = digestResponse({ ...challenge, ...account, method, uri, nc, cnonce });
    const params = [
      `username="${quoted(utf8Bytes(account.username))}"`,
      `realm="${realm}"`,
      `nonce="${nonce}"`,
      `uri="${uri}"`,
      `response="${response}"`,
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${nc}`, `cnonce="${cnonce}"`]),
      ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ];
    return `Digest ${params.join(', ')}`;
  }
}

export interface DigestInput extends Account {
  /** Binary strings. */
  readonly realm: string;
  readonly nonce: string;
  readonly hash: string;
  readonly isSession: boolean;
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly method: string;
  readonly uri: string;
  readonly nc: string;
  readonly cnonce: string;
}

/** The response parameter (RFC 7616 3.4.1 to 3.4.3) for an empty body. */
export function digestResponse(input: DigestInput): string {
  const { username, password, realm, nonce, isSession, qop, method, uri, nc, cnonce } = input;
  const h = (text: string) => createHash(input.hash).update(text, 'latin1').digest('hex');
  const secret = h(`${utf8Bytes(username)}:${unquoted(realm)}:${utf8Bytes(password)}`);
  const a1 = isSession ? h(`${secret}:${unquoted(nonce)}:${cnonce}`) : secret;
  const a2 = h(qop === 'auth-int' ? `${method}:${uri}:${h('')}` : `${method}:${uri}`);
  const middle = qop === undefined ? '' : `${nc}:${cnonce}:${qop}:`;
  return h(`${a1}:${unquoted(nonce)}:${middle}${a2}`);
}

interface Scheme {
  readonly name: string;
  /** Names in lower case; values as quoted, without their quotes. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = "[A-Za-z0-9\\-.!%*_+`'~]+";
const SCHEME = new RegExp(`[ \\t,]*(${TOKEN})(?:[ \\t]+|$)(?!=)`, 'y');
const PARAM = new RegExp(
  `[ \\t,]*(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^ \\t\\r\\n,"]*))[ \\t]*(?:,|$)`,
  'y',
);

/** The challenges in one header: normally one (RFC 3261 7.3.1), sometimes more. */
function schemesOf(value: string): Scheme[] {
  const schemes: { name: string; params: Map<string, string> }[] = [];
  let at = 0;
  while (at < value.length && schemes.length <= MAX_CHALLENGES) {
    PARAM.lastIndex = at;
    const [whole, name = '', quotedValue, token] = PARAM.exec(value) ?? [];
    const scheme = schemes.at(-1);
    if (whole !== undefined && scheme !== undefined) {
      at = PARAM.lastIndex;
      if (!scheme.params.has(name.toLowerCase()))
        scheme.params.set(name.toLowerCase(), quotedValue ?? token ?? '');
      continue;
    }
    SCHEME.lastIndex = at;
    const [, schemeName] = SCHEME.exec(value) ?? [];
    if (schemeName === undefined) break;
    at = SCHEME.lastIndex;
    schemes.push({ name: schemeName, params: new Map() });
  }
  return schemes;
}

/** RFC 3261 7.3.1: a line break with the spaces after it counts as one space. */
function unfolded(value: string): string {
  return value.replace(/\r\n[ \t]+/g, ' ');
}

/** The challenge, or why it is not supported. */
function challengeOf({ name, params }: Scheme): Challenge | string {
  if (name.toLowerCase() !== 'digest')
    return `unsupported authentication scheme ${quotedForMessage(name)}`;
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (realm === undefined) return 'the challenge has no realm';
  if (nonce === undefined) return 'the challenge has no nonce';
  const opaque = params.get('opaque');
  if ([realm, nonce, opaque ?? ''].some((text) => text.length > MAX_VALUE_LENGTH)) {
    return `a value of the challenge is longer than ${MAX_VALUE_LENGTH} bytes`;
  }
  const algorithm = params.get('algorithm');
  const isSession = /-sess$/i.test(algorithm ?? '');
  const hash = HASHES.get((algorithm ?? 'MD5').toLowerCase().replace(/-sess$/, ''));
  if (hash === undefined)
    return `unsupported digest algorithm ${quotedForMessage(algorithm ?? '')}`;
  const offered = params.get('qop');
  const qops = (offered ?? '').split(',').map((item) => item.trim().toLowerCase());
  const qop = (['auth', 'auth-int'] as const).find((known) => qops.includes(known));
  if (offered !== undefined && qop === undefined)
    return `unsupported qop ${quotedForMessage(offered)}`;
  // RFC 8760 2.6: without qop there is no cnonce, which a session key needs.
  if (isSession && qop === undefined) return 'the challenge has a session algorithm without qop';
  const isStale = params.get('stale')?.toLowerCase() === 'true';
  return { realm, nonce, opaque, algorithm, hash, isSession, qop, isStale, uses: 0 };
}

function quotedForMessage(text: string): string {
  return JSON.stringify(printable(decode(Buffer.from(text, 'latin1')), MAX_QUOTED_LENGTH));
}

/** RFC 7616 4: username and password are encoded in UTF-8. The result is a binary string. */
function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}

/** RFC 7616 3.4: values are hashed without quotes and escapes. */
function unquoted(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

/** Masks the digest response in a message, because it allows to guess the password offline. */
export function masked(message: string): string {
  return message.replace(/^((?:Proxy-)?Authorization:)(.*)$/gim, (_all, name, value) => {
    // Matches whole quoted values, so that `response=` within a value is not mistaken for the parameter.
    const redactedValue = value.replace(
      /([\w-]+)([ \t]*=[ \t]*)"(?:[^"\\]|\\.)*(?:"|$)/g,
      (param: string, key: string, equals: string) =>
        key.toLowerCase() === 'response' ? `${key}${equals}"<secret>"` : param,
    );
    return `${name}${redactedValue}`;
  });
}
