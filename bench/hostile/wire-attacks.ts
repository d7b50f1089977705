/** SIP peers that send without end. */

import { grouped, megabytes } from '../report.js';
import type { Attack } from './attack.js';

export const wireAttacks: readonly Attack[] = [
  peer('a TCP peer that repeats its right answer without end', 'answers', 'tcp'),
  peer('a TCP peer that sends CRLF without end', 'crlf', 'tcp'),
  peer('a TCP peer that sends 100 Trying without end', 'trying', 'tcp'),
  peer('a WebSocket peer that pings without end', 'pings', 'ws'),
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
          return [{ what: 'sent without end', figure }];
        },
      };
    },
  };
}
