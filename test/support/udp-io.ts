/** The two kinds of UDP sockets, for tests of the exporter that hold for both. */

import { UDP_IO, type UdpIo } from '../../src/shared/ledger/layout.js';
import { skipOf } from './udp-rig.js';

/** The options of a test that needs `udp.io` `kernel`. */
export const KERNEL = skipOf('kernel');

/** Each kind, with the options of a test that needs it. */
export const EACH_UDP_IO: readonly (readonly [UdpIo, { readonly skip: string | false }])[] =
  UDP_IO.map((io) => [io, skipOf(io)]);
