/**
 * Digest authentication, the client's side (RFC 3261 22, RFC 7616, RFC 8760): which challenge can be
 * met, and what meets it. A nonce is used again, with a rising count, until the peer wants another.
 *
 * What a peer sends is kept byte for byte, in binary strings (a character for each byte): realm and
 * nonce are hashed and sent back as the very bytes that came, whatever encoding they are in.
 */

import { createHash } from 'node:crypto';
import { decode, printable } from '../../shared/text.js';
import { headerValues } from './headers.js';
import { word } from './scanner.js';

/** Who asks: a server (401), or a proxy on the way (407). */
export type ChallengeSource = 'server' | 'proxy';

/** Who asks with an answer of this code; undefined when nobody does. */
export function challengeSourceOf(code: number): ChallengeSource | undefined {
  if (code === 401) return 'server';
  return code === 407 ? 'proxy' : undefined;
}

export interface Account {
  readonly username: string;
  readonly password: string;
}

interface Challenge {
  /** As they were quoted, escapes included; binary strings, as all texts of a challenge. */
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As written; undefined when not given, which means MD5. */
  readonly algorithm: string | undefined;
  readonly hash: string;
  readonly isSession: boolean;
  /** Undefined for the form that RFC 2069 had. */
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly isStale: boolean;
  /** Requests that this nonce has served. */
  uses: number;
}

/** Names of algorithms in lower case, and what Node calls their hash (RFC 8760 2.1). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha256'],
  ['sha-512-256', 'sha512-256'],
]);

const ASKING: Readonly<Record<ChallengeSource, readonly Uint8Array[]>> = {
  server: [word('www-authenticate')],
  proxy: [word('proxy-authenticate')],
};
const ANSWERING: Readonly<Record<ChallengeSource, string>> = {
  server: 'Authorization',
  proxy: 'Proxy-Authorization',
};

/** Longer values are nobody's nonce. */
const MAX_VALUE_LENGTH = 1024;
/** Of a value that is quoted in words for people. */
const MAX_SHOWN_LENGTH = 40;
/** Challenges of one response that are looked at. */
const MAX_CHALLENGES = 8;

export type ChallengeResult =
  | { readonly kind: 'met'; readonly isStale: boolean }
  | { readonly kind: 'unmet'; readonly why: string };

export class DigestClient {
  readonly #newCnonce: () => string;
  readonly #challenges = new Map<ChallengeSource, Challenge>();

  constructor(newCnonce: () => string) {
    this.#newCnonce = newCnonce;
  }

  /** Takes what a 401 or 407 asks for: of several challenges the topmost that can be met (RFC 8760 2.4). */
  takeChallenge(asker: ChallengeSource, response: Uint8Array): ChallengeResult {
    const offers = headerValues(response, ASKING[asker])
      .flatMap((value) => schemesOf(unfolded(value)))
      .slice(0, MAX_CHALLENGES)
      .map(challengeOf);
    const met = offers.find((offer) => typeof offer !== 'string');
    if (met !== undefined && typeof met !== 'string') {
      this.#challenges.set(asker, met);
      return { kind: 'met', isStale: met.isStale };
    }
    const [why = 'it came without a challenge'] = offers;
    return { kind: 'unmet', why: String(why) };
  }

  /** Credentials were refused: their nonces are worth nothing. */
  forget(): void {
    this.#challenges.clear();
  }

  /** The headers that meet the challenges so far, for one more request; values are binary strings. */
  headers(
    account: Account,
    method: string,
    uri: string,
  ): (readonly [name: string, value: string])[] {
    return [...this.#challenges].map(([asker, challenge]) => {
      challenge.uses++;
      return [ANSWERING[asker], this.#credentials(challenge, account, method, uri)] as const;
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

/** RFC 7616 3.4.1 to 3.4.3; the body of a ping is empty. */
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

/** The challenges in one header: one as a rule (RFC 3261 7.3.1), sometimes more. */
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

/** RFC 3261 7.3.1: a folded line is one, its break and blanks one blank. */
function unfolded(value: string): string {
  return value.replace(/\r\n[ \t]+/g, ' ');
}

/** The challenge, or why it cannot be met. */
function challengeOf({ name, params }: Scheme): Challenge | string {
  if (name.toLowerCase() !== 'digest') return `the peer wants the scheme ${short(name)}`;
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
  if (hash === undefined) return `the peer wants the algorithm ${short(algorithm ?? '')}`;
  const offered = params.get('qop');
  const qops = (offered ?? '').split(',').map((item) => item.trim().toLowerCase());
  const qop = (['auth', 'auth-int'] as const).find((known) => qops.includes(known));
  if (offered !== undefined && qop === undefined) return `the peer wants qop ${short(offered)}`;
  // RFC 8760 2.6: without qop there is no cnonce, which a session would be made of.
  if (isSession && qop === undefined) return 'the challenge has a session algorithm without qop';
  const isStale = params.get('stale')?.toLowerCase() === 'true';
  return { realm, nonce, opaque, algorithm, hash, isSession, qop, isStale, uses: 0 };
}

function short(text: string): string {
  return JSON.stringify(printable(decode(Buffer.from(text, 'latin1')), MAX_SHOWN_LENGTH));
}

/** RFC 7616 4: what the user wrote goes out in UTF-8; here as a binary string. */
function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}

/** RFC 7616 3.4: what is hashed is the value without its quotes and escapes. */
function unquoted(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

/** The message with what proves the password left out, for people to read. */
export function masked(message: string): string {
  return message.replace(/^((?:Proxy-)?Authorization:)(.*)$/gim, (_all, name, value) => {
    // Quoted values are passed over whole, so that none can look like the one that is meant.
    const shown = value.replace(
      /([\w-]+)([ \t]*=[ \t]*)"(?:[^"\\]|\\.)*(?:"|$)/g,
      (param: string, key: string, equals: string) =>
        key.toLowerCase() === 'response' ? `${key}${equals}"<secret>"` : param,
    );
    return `${name}${shown}`;
  });
}
