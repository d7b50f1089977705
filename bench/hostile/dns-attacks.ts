/** Attacks by DNS servers. */

import type { Exporter } from '../exporter.js';
import { readSums } from '../samples.js';
import { type Attack, type Attacker, destinationLines } from './attack.js';

const NAMES = 20;
const UP = 'sip_keepalive_up{destination="named-';

export const dnsAttacks: readonly Attack[] = [
  dnsAttack(
    'a name with 1,500 SRV targets in a silent zone',
    'crowd',
    '  - { name: hog, uri: "sip:h.test", ping_interval: 1 }\n',
    'answers with 1,500 targets',
  ),
  dnsAttack('DNS over TCP: length 0, then endless bytes', 'flood', '', 'floods'),
];

/** Beside 20 names that are looked up every second. */
function dnsAttack(what: string, kind: string, more: string, figureName: string): Attack {
  return {
    what,
    prepare: async (attackers) => {
      const dns = await attackers.start('dns-attack', kind);
      const { port } = attackers.scene.farEnd;
      const names = destinationLines(
        ...([
          NAMES,
          'named',
          (i: number) => `sip:ok${i}.test:${port}`,
          'ping_interval: 1',
        ] as const),
      );
      const flags = ['--dns.servers', `127.0.0.1:${dns.port}`, '--dns.search', '.'];
      return {
        exporter: { more: more + names, flags: [...flags, '--dns.min_ttl', '1'] },
        begin: async () => void (await dns.ask()),
        report: (exporter) => report(exporter, dns, figureName),
      };
    },
  };
}

async function report({ url }: Exporter, dns: Attacker, figureName: string) {
  const { totals } = await readSums(url, [UP]);
  const up = totals.get(UP) ?? 0;
  const verdict = up === NAMES ? 'reached' : `missed by ${NAMES - up}`;
  return [
    { what: `names up, of ${NAMES}`, figure: `${up}`, goal: `${NAMES}`, verdict },
    { what: figureName, figure: await dns.ask() },
  ];
}
