/** The formats of WebSocket, TLS and socket settings. */

import { createSecureContext } from 'node:tls';
import { Expected, type Format } from './expected.js';

/** RFC 3986 3.3 and 3.4. */
export const wsPath: Format<string> = (given) => {
  if (typeof given !== 'string' || !/^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]{0,255}$/.test(given)) {
    throw new Expected('a path that begins with /', given);
  }
  return given;
};

/** RFC 6454 6.2: a scheme, a host and an optional port, or `null`. */
export const wsOrigin: Format<string> = (given) => {
  const isUrl = typeof given === 'string' && URL.canParse(given);
  const isOrigin = isUrl && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(given);
  if (given === 'auto' || given === '' || given === 'null' || isOrigin) return String(given);
  throw new Expected('auto, an origin such as https://host.example, or an empty string', given);
};

/** A cipher list as OpenSSL reads it. */
export const ciphers: Format<string> = (given) => {
  if (typeof given !== 'string') throw new Expected('a list of ciphers', given);
  try {
    if (given !== '') createSecureContext({ ciphers: given });
    return given;
  } catch {
    throw new Expected('a cipher list with at least one cipher that OpenSSL knows', given);
  }
};

/** A name that Linux gives to interfaces (netdevice(7)): shorter than IFNAMSIZ, which is 16. */
export const interfaceName: Format<string> = (given) => {
  const isName = typeof given === 'string' && /^[!-.0-9;-~]{1,15}$/.test(given);
  if (isName && given !== '.' && given !== '..') return given;
  const expected =
    'a network interface such as eth0: 1 to 15 ASCII characters, no space, slash or colon';
  throw new Expected(expected, given);
};
