import type { FuzzTarget } from './target.js';
import { DNS } from './targets/dns.js';
import { FRAMER } from './targets/framer.js';
import { DISPATCHER, JSON_LIST, KAMAILIO, YAML_LIST } from './targets/lists.js';
import { CERTIFICATE, DIGEST } from './targets/peers.js';
import { SCANNER } from './targets/scanner.js';
import { WEB_CONFIG } from './targets/web-config.js';

/** All targets by name. */
export const TARGETS: ReadonlyMap<string, FuzzTarget> = new Map([
  ['scanner', SCANNER],
  ['framer', FRAMER],
  ['dns', DNS],
  ['dispatcher', DISPATCHER],
  ['kamailio', KAMAILIO],
  ['json-list', JSON_LIST],
  ['yaml-list', YAML_LIST],
  ['web-config', WEB_CONFIG],
  ['digest', DIGEST],
  ['certificate', CERTIFICATE],
]);
