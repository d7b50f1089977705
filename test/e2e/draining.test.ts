import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { runKamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run } from '../support/process.js';
import { needs } from '../support/tools.js';

/** Answers two pings with 503 and Retry-After, two with 503 alone, and the others with 200. */
const maintenance = (port: number) => `
debug=1
log_stderror=yes
children=1
auto_aliases=no
disable_tcp=yes
listen=udp:127.0.0.1:${port}
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("pv", "shvset", "pings=i:0")
request_route {
  $shv(pings) = $shv(pings) + 1;
  if ($shv(pings) <= 2) append_to_reply("Retry-After: 60 (maintenance);duration=600\\r\\n");
  if ($shv(pings) <= 4) { sl_send_reply("503", "Maintenance"); exit; }
  sl_send_reply("200", "OK");
}
`;

/** The states of a destination with their reasons, in order, until it is up. */
async function history(exporter: Exporter, name: string): Promise<string[]> {
  const seen: string[] = [];
  await eventually(
    `${name} is up`,
    async () => {
      const { state, reason } = await exporter.destination(name);
      const now = reason === null ? state : `${state} ${reason}`;
      if (state !== 'unknown' && seen.at(-1) !== now) seen.push(now);
      return state === 'up';
    },
    120_000,
  );
  return seen;
}

test(
  'a Kamailio that answers 503 with Retry-After is draining, without it is not, and is up again',
  needs('kamailio/textops', 'kamailio/pv', 'kamailio/sl'),
  async (t) => {
    const port = await freePort();
    await runKamailio(t, maintenance(port));
    const exporter = await startExporter(t, {
      ...{ ping_interval: 3, ping_timeout: 2 },
      destinations: [{ name: 'proxy', uri: `127.0.0.1:${port}` }],
    });
    await eventually('it is draining', async () => (await exporter.isAlive('proxy')) === 2);
    assert.equal(await exporter.metric('sip_keepalive_draining'), 1);
    assert.equal(await exporter.metric('sip_keepalive_up'), 0);
    const line = /"event":"destination_down".*"reason":"draining"/;
    await eventually('the log has the reason', () => line.test(exporter.output()));
    assert.deepEqual(await history(exporter, 'proxy'), ['down draining', 'down code', 'up']);
    assert.equal(await exporter.metric('sip_keepalive_draining'), 0);
    for (const reason of ['draining', 'code']) {
      const failures = await exporter.metric('sip_keepalive_ping_failures_total', { reason });
      assert.equal(failures, 2, reason);
    }
  },
);

test(
  'a probe of a draining peer fails with that reason, and with draining_codes for the codes listed',
  needs('kamailio/textops', 'kamailio/pv', 'kamailio/sl'),
  async (t) => {
    const port = await freePort();
    await runKamailio(t, maintenance(port));
    const exporter = await startExporter(t, { modules: { asterisk: { draining_codes: '503' } } });
    const target = encodeURIComponent(`sip:127.0.0.1:${port}`);
    const probe = async (module: string) => {
      const text = await exporter.get(`/probe?target=${target}&module=${module}`);
      const [, reason = ''] = /^probe_failure_info\{reason="(\w+)"\} 1$/m.exec(text) ?? [];
      const [, code] = /^probe_sip_status_code (\d+)$/m.exec(text) ?? [];
      return `${code} ${reason}`;
    };
    const debug = await exporter.get(`/probe?target=${target}&debug=true`);
    assert.match(debug, /not alive: draining, answered with 503 \(Retry-After: 60 s\)/);
    assert.equal(await probe('default'), '503 draining');
    assert.equal(await probe('asterisk'), '503 draining', 'by draining_codes');
    assert.equal(await probe('default'), '503 code');
    assert.equal(await probe('default'), '200 ');
  },
);

const SECONDS = 12;
const reply = (...lines: readonly string[]) =>
  ['<send><![CDATA[', ...lines, 'Content-Length: 0', '', ']]></send>'].join('\n');
const COPIED = ['[last_Via:]', '[last_From:]', '[last_To:];tag=[call_number]', '[last_Call-ID:]'];
const FULL = reply(
  ...['SIP/2.0 503 Maximum Calls In Progress', ...COPIED, '[last_CSeq:]'],
  `Retry-After: ${SECONDS}`,
);
/** The first ping is answered with 503 and Retry-After, the others with 200. */
const SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="full">
<Global variables="pings" />
<recv request="OPTIONS"><action>
<add assign_to="pings" value="1" />
<test assign_to="isFree" variable="pings" compare="greater_than" value="1" />
</action></recv>
<nop next="free" test="isFree"></nop>
${FULL}
<nop next="end"></nop>
<label id="free" />
${reply('SIP/2.0 200 OK', ...COPIED, '[last_CSeq:]')}
<label id="end" />
<nop></nop>
</scenario>
`;

test(
  'with respect_retry_after a SIPp that answers 503 is left alone for that time, and stays down meanwhile',
  needs('sipp'),
  async (t) => {
    const path = folder(t);
    writeFileSync(join(path, 'full.xml'), SCENARIO);
    const port = await freePort();
    const where = ['-t', 'u1', '-i', '127.0.0.1', '-p', String(port)];
    run(t, 'sipp', ['-sf', join(path, 'full.xml'), ...where, '-nostdin'], { cwd: path });
    const exporter = await startExporter(t, {
      ...{ ping_interval: 1, ping_timeout: 0.9, respect_retry_after: true, max_backoff: '1m' },
      destinations: [{ name: 'gw', uri: `127.0.0.1:${port}` }],
    });
    // While SIPp starts, its port refuses the first pings.
    await eventually(
      'it is draining',
      async () => (await exporter.metric('sip_keepalive_draining')) === 1,
    );
    const stampOf = (which: string) =>
      exporter.metric(`sip_keepalive_last_${which}_timestamp_seconds`);
    const drainedAt = (await stampOf('down')) ?? Number.NaN;
    await eventually(
      'it is up',
      async () => {
        const state = await exporter.isAlive('gw');
        assert.notEqual(state, -1, 'its state is not stale');
        return state === 1;
      },
      60_000,
    );
    const since = (await stampOf('state_change')) ?? Number.NaN;
    assert.ok(since - drainedAt >= SECONDS, `${since - drainedAt} s`);
    const failures = await exporter.metric('sip_keepalive_ping_failures_total', {
      reason: 'draining',
    });
    assert.equal(failures, 1);
  },
);
