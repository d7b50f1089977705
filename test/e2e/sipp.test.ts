import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run } from '../support/process.js';
import { needs } from '../support/tools.js';

const ANSWER = (status: string) => `
  <send><![CDATA[
      SIP/2.0 ${status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Server: SIPp
      Content-Length: 0

  ]]></send>`;

/** Each ping is a call: two get 200, two get 503, two get no response, the others get 200. */
const SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="moods">
  <Global variables="pings" />
  <recv request="OPTIONS"><action>
    <add assign_to="pings" value="1" />
    <test assign_to="is503" variable="pings" compare="greater_than" value="2" />
    <test assign_to="isSilent" variable="pings" compare="greater_than" value="4" />
    <test assign_to="isBack" variable="pings" compare="greater_than" value="6" />
  </action></recv>
  <nop next="ok" test="isBack"></nop>
  <nop next="silent" test="isSilent"></nop>
  <nop next="busy" test="is503"></nop>
  <label id="ok" />${ANSWER('200 OK')}
  <nop next="end"></nop>
  <label id="busy" />${ANSWER('503 Service Unavailable')}
  <nop next="end"></nop>
  <label id="silent" />
  <pause milliseconds="3900" />
  <label id="end" />
  <nop></nop>
</scenario>
`;

for (const [transport, mode] of [
  ['udp', 'u1'],
  ['tcp', 't1'],
] as const) {
  test(
    `SIPp over ${transport} answers 200, then 503, then nothing, then 200, and the state follows`,
    needs('sipp'),
    async (t) => {
      const path = folder(t);
      const scenario = join(path, 'moods.xml');
      writeFileSync(scenario, SCENARIO);
      const port = await freePort();
      const where = ['-t', mode, '-i', '127.0.0.1', '-p', String(port)];
      run(t, 'sipp', ['-sf', scenario, ...where, '-nostdin'], { cwd: path });
      const exporter = await startExporter(t, {
        ping_interval: 4,
        ping_timeout: 3,
        destinations: [{ name: 'moody', uri: `127.0.0.1:${port};transport=${transport}` }],
      });

      const seen = await history(exporter);
      assert.deepEqual(seen, ['up', 'down code 503', 'down timeout', 'up']);
      const failures = (reason: string) =>
        exporter.metric('sip_keepalive_ping_failures_total', { reason });
      assert.equal(await failures('code'), 2);
      assert.equal(await failures('timeout'), 2);
      assert.equal(await exporter.metric('sip_keepalive_responses_total', { code: '503' }), 2);
      assert.equal((await exporter.destination('moody')).server, 'SIPp');
      const answered = await exporter.metric('sip_keepalive_rtt_seconds_count');
      const pings = await exporter.metric('sip_keepalive_pings_total');
      assert.ok((answered ?? 0) + 2 <= (pings ?? 0), 'a timeout is not in the histogram');
    },
  );
}

/** The states of the destination in order, until it is up for the second time. */
async function history(exporter: Exporter): Promise<string[]> {
  const seen: string[] = [];
  await eventually(
    'it is up again',
    async () => {
      const { state, reason, targets } = await exporter.destination('moody');
      const code = reason === 'code' ? ` ${targets[0]?.sip_code}` : '';
      const now = state === 'down' ? `${state} ${reason}${code}` : state;
      if (state !== 'unknown' && seen.at(-1) !== now) seen.push(now);
      return seen.length > 1 && seen.at(-1) === 'up';
    },
    180_000,
  );
  return seen;
}
