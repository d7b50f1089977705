import type { Stack } from './stack.js';
import { KAMAILIO, KAMAILIO_DIGEST, KAMAILIO_REGISTRAR } from './stacks/kamailio.js';
import { NPM_SIP, OSIP, SOFIA } from './stacks/libraries.js';
import { JAIN_SIP, JSSIP, SIPGO } from './stacks/registries.js';
import { BARESIP, BARESIP_STRANGER, LINPHONE, SIPP } from './stacks/user-agents.js';

/** All stacks of the table. */
export const STACKS: readonly Stack[] = [
  ...[KAMAILIO, KAMAILIO_DIGEST, KAMAILIO_REGISTRAR, SIPP, BARESIP, BARESIP_STRANGER, LINPHONE],
  ...[SOFIA, OSIP, NPM_SIP, SIPGO, JAIN_SIP, JSSIP],
];
