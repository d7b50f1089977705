/** Attacks by HTTP clients. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import type { Exporter } from '../exporter.js';
import { grouped } from '../report.js';
import { readSums } from '../samples.js';
import { type Attack, type Attacker, destinationLines, type Prepared } from './attack.js';
import { CLEAN_DESTINATIONS } from './endure.js';

const LISTENERS = 100;
const FLAPPING = 1_000;
const FALLING = 3_000;
/** Every destination that goes down is pinged once within this time. */
const FALL_SECONDS = 2;
/** Time for the first ping of thousands of destinations. */
const SETTLE_MANY_MS = 10_000;
const GUESSERS = 50;
const BCRYPT_COST = 12;
const IDLE = 300;
const OPEN_FILES = 256;
const OVER_TCP = 50;
const RELOADERS = 5;
const RELOADED = 10_000;
const CHANGES = 'sip_keepalive_state_changes_total';

export const httpAttacks: readonly Attack[] = [
  listeners(`${LISTENERS} listeners, 1,000 state changes per second`, 'alternate', FLAPPING, 1),
  listeners(
    `${LISTENERS} listeners, 3,000 destinations down within 2 s`,
    'fall',
    FALLING,
    FALL_SECONDS,
  ),
  {
    what: `${GUESSERS} parallel clients with wrong passwords, bcrypt cost ${BCRYPT_COST}`,
    prepare: async (attackers) => {
      const { users, headers } = password(attackers.scene.stage.directory);
      return fromTheStart('password', GUESSERS, 'wrong passwords answered', {
        exporter: { flags: ['--web.config.file', users], headers },
      })(attackers);
    },
  },
  {
    what: `${IDLE} idle HTTP connections, ulimit -n ${OPEN_FILES}`,
    prepare: async (attackers) => {
      const { port } = await attackers.start('peer-attack', 'none');
      const uri = () => `sip:127.0.0.1:${port};transport=tcp`;
      const own = 'ping_interval: 1, connection: per_ping';
      const more = destinationLines(OVER_TCP, 'tcp', uri, own);
      const prepared = await fromTheStart('idle', IDLE, 'connections opened', {
        exporter: { more, openFiles: OPEN_FILES },
      })(attackers);
      return {
        ...prepared,
        report: async (exporter, course) => [
          await overTcpUp(exporter),
          ...((await prepared.report?.(exporter, course)) ?? []),
        ],
      };
    },
  },
  {
    blocksOthers: true,
    what: `${RELOADERS} clients reloading ${RELOADED.toLocaleString('en-US')} destinations`,
    prepare: (attackers) => {
      const uris = attackers.scene.farEnd.uris(RELOADED).slice(CLEAN_DESTINATIONS);
      const uri = (i: number) => uris[i] ?? '';
      const more = destinationLines(uris.length, 'more', uri, 'ping_interval: 60');
      return fromTheStart('reload', RELOADERS, 'reloads answered', {
        ...{ exporter: { more }, settleMs: SETTLE_MANY_MS },
      })(attackers);
    },
  },
];

/** `count` HTTP clients from the start of the window, and a counter of what they did. */
function fromTheStart(
  kind: string,
  count: number,
  what: string,
  prepared: Omit<Prepared, 'begin' | 'report'>,
): Attack['prepare'] {
  return async (attackers) => {
    let client: Attacker | undefined;
    return {
      ...prepared,
      begin: async ({ url }) => {
        client = await attackers.start('http-attack', kind, url, String(count));
      },
      report: async () => [{ what, figure: grouped(Number(await client?.ask())) }],
    };
  };
}

function listeners(what: string, kind: string, count: number, intervalSeconds: number): Attack {
  return {
    what,
    prepare: async (attackers) => {
      const far = await attackers.start('flapping', kind);
      const uri = (i: number) => `sip:user${i}@127.0.0.1:${far.port}`;
      const own = `ping_interval: ${intervalSeconds}`;
      const prepared = await fromTheStart('listen', LISTENERS, 'events received by listeners', {
        exporter: { more: destinationLines(count, 'flapping', uri, own) },
        settleMs: SETTLE_MANY_MS,
      })(attackers);
      let changesBefore = 0;
      return {
        ...prepared,
        begin: async (exporter) => {
          changesBefore = await changes(exporter);
          await prepared.begin(exporter);
          await far.ask();
        },
        report: async (exporter, course) => {
          const made = (await changes(exporter)) - changesBefore;
          const figure = `${grouped(made)}, ${grouped(Math.round(made / course.seconds))}/s`;
          const events = (await prepared.report?.(exporter, course)) ?? [];
          return [{ what: 'state changes', figure }, ...events];
        },
      };
    },
  };
}

async function changes({ url }: Exporter): Promise<number> {
  return (await readSums(url, [CHANGES])).totals.get(CHANGES) ?? 0;
}

async function overTcpUp({ url }: Exporter) {
  const family = 'sip_keepalive_up{destination="tcp-';
  const up = (await readSums(url, [family])).totals.get(family) ?? 0;
  const verdict = up === OVER_TCP ? 'reached' : `missed by ${OVER_TCP - up}`;
  return { what: `TCP destinations up, of ${OVER_TCP}`, figure: `${up}`, goal: '50', verdict };
}

/** A web configuration with one user, and the header of requests with the right password. */
function password(directory: string) {
  const users = join(directory, 'web.yml');
  const secret = 'correct horse';
  writeFileSync(users, `basic_auth_users: { bench: '${hashSync(secret, BCRYPT_COST)}' }\n`);
  const basic = Buffer.from(`bench:${secret}`).toString('base64');
  return { users, headers: { authorization: `Basic ${basic}` } };
}
