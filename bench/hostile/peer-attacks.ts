/** Attacks by SIP peers that flood. */

import { grouped, megabytes } from '../report.js';
import type { Attack } from './attack.js';

export const peerAttacks: readonly Attack[] = [
  peer('a TCP peer that repeats its correct response endlessly', 'answers', 'tcp'),
  peer('a TCP peer that sends CRLF endlessly', 'crlf', 'tcp'),
  peer('a TCP peer that sends 100 Trying endlessly', 'trying', 'tcp'),
  peer('a WebSocket peer that sends pings endlessly', 'pings', 'ws'),
];

function peer(what: string, kind: string, transport: string): Attack {
  return {
    what,
    prepare: async (attackers) => {
      const { port, ask } = await attackers.start('peer-attack', kind);
      const uri = `sip:127.0.0.1:${port};transport=${transport}`;
      return {
        exporter: { more: `  - { name: flooder, uri: "${uri}", ping_interval: 1 }\n` },
        begin: async () => void (await ask()),
        report: async () => {
          const [floods = 0, bytes = 0] = (await ask()).split(' ').map(Number);
          const figure = `${grouped(floods)} connections, ${megabytes(bytes)}`;
          return [{ what: 'flooded', figure }];
        },
      };
    },
  };
}
