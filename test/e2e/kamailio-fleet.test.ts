import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseYaml } from '../../src/platform/yaml.js';
import { type RpcAnswer, startExporter } from '../support/exporter.js';
import { runKamailio } from '../support/kamailio.js';
import { RPC_MODULES } from '../support/kamailio-rpc.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, type Running, run } from '../support/process.js';
import { needs } from '../support/tools.js';

const DOC = readFileSync('docs/kamailio-fleet.md', 'utf8');
const exampleOf = (language: string) =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(DOC)?.[1] ??
  assert.fail(`docs/kamailio-fleet.md has no example in ${language}`);

/** A table of db_text: the sets 1 and 2; the first gateway of set 1 has the higher priority. */
const tableOf = (
  ports: readonly number[],
) => `id(int,auto) setid(int) destination(string) flags(int) priority(int) attrs(string) description(string)
1:1:sip\\:127.0.0.1\\:${ports[0]}:0:10:duid=gw-a:of a test
2:1:sip\\:127.0.0.1\\:${ports[1]}:0:5:duid=gw-b:of a test
3:2:sip\\:127.0.0.1\\:${ports[2]}:0:0:duid=gw-c:of a test
`;

const RESPONSE = (more: string) => `<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
${more}
Content-Length: 0

]]></send>`;

/** Answers pings and calls; the Contact of a call has its name. */
const gatewayScenario = (name: string) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="gateway">
  <recv request="INVITE" optional="true" next="call"></recv>
  <recv request="OPTIONS"></recv>
  ${RESPONSE('Server: SIPp')}
  <nop next="end"></nop>
  <label id="call" />
  ${RESPONSE(`Contact: <sip:${name}@[local_ip]:[local_port]>`)}
  <recv request="ACK"></recv>
  <recv request="BYE"></recv>
  ${RESPONSE('Server: SIPp')}
  <label id="end" />
  <nop></nop>
</scenario>
`;

/** One call, which succeeds only through the gateway of this name. */
const callScenario = (name: string) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call">
  <send><![CDATA[
INVITE sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:service@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="100" optional="true"></recv>
  <recv response="200" rrs="true">
    <action>
      <ereg regexp="${name}@" search_in="hdr" header="Contact:" check_it="true" assign_to="gateway" />
      <log message="[$gateway]" />
    </action>
  </recv>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <send><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"></recv>
</scenario>
`;

function startGateway(t: TestContext, name: string, port: number): Running {
  const directory = folder(t);
  const scenario = join(directory, 'gateway.xml');
  writeFileSync(scenario, gatewayScenario(name));
  const where = ['-i', '127.0.0.1', '-p', String(port)];
  return run(t, 'sipp', ['-sf', scenario, ...where, '-nostdin'], { cwd: directory });
}

/** Whether a call through this Kamailio is answered by the gateway of this name. */
async function isAnsweredBy(t: TestContext, port: number, name: string): Promise<boolean> {
  const directory = folder(t);
  const scenario = join(directory, 'call.xml');
  writeFileSync(scenario, callScenario(name));
  const from = ['-i', '127.0.0.1', '-p', String(await freePort())];
  const args = ['-sf', scenario, ...from, `127.0.0.1:${port}`, '-m', '1', '-nostdin'];
  const call = run(t, 'sipp', [...args, '-timeout', '2', '-timeout_error'], { cwd: directory });
  const [code] = await once(call.child, 'exit');
  return code === 0;
}

/** A Kamailio with the kamailio.cfg of the document, on loopback. */
async function startFleetKamailio(t: TestContext, port: number, ports: readonly number[]) {
  const directory = folder(t);
  writeFileSync(join(directory, 'version'), VERSIONS);
  writeFileSync(join(directory, 'dispatcher'), tableOf(ports));
  const cfg = exampleOf('kamailio')
    .replaceAll('192.0.2.5:5060', `127.0.0.1:${port}`)
    .replaceAll('192.0.2.10', '127.0.0.1')
    .replaceAll('/etc/kamailio/dbtext', directory);
  const kamailio = await runKamailio(t, `debug=2\nlog_stderror=yes\nchildren=2\n${cfg}`);
  const rpc = async (method: string, ...params: readonly (string | number)[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 });
    const answer = await fetch(`http://127.0.0.1:${port}/RPC`, { method: 'POST', body });
    return (await answer.json()) as RpcAnswer;
  };
  return { ...kamailio, rpc };
}

const VERSIONS = `id(int,auto) table_name(string) table_version(int)
1:dispatcher:4
`;

/** The flags of all destinations by duid, such as `gw-a AX, gw-b IX`. */
async function flagsOf(kamailio: { readonly rpc: (method: string) => Promise<RpcAnswer> }) {
  const { result } = await kamailio.rpc('dispatcher.list');
  const text = JSON.stringify(result);
  const all = [...text.matchAll(/"FLAGS":"(\w+)".*?"DUID":"([^"]+)"/g)];
  return all
    .map(([, flags, duid]) => `${duid} ${flags}`)
    .sort()
    .join(', ');
}

test(
  'a Kamailio that does not ping routes by the verdicts of the exporter, as the page for fleets has it',
  needs('kamailio', 'sipp', ...RPC_MODULES),
  async (t) => {
    const port = await freePort();
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const gateway = (name: 'gw-a' | 'gw-b' | 'gw-c') =>
      startGateway(t, name, { 'gw-a': ports[0], 'gw-b': ports[1], 'gw-c': ports[2] }[name]);
    const [a, , c] = [gateway('gw-a'), gateway('gw-b'), gateway('gw-c')];
    let kamailio = await startFleetKamailio(t, port, ports);
    const { discovery, ...pings } = parseYaml(exampleOf('yaml')) as {
      discovery: { kamailio_rpc: Record<string, unknown>[] };
    };
    const [source] = discovery.kamailio_rpc;
    const exporter = await startExporter(t, {
      ...{ ...pings, ping_interval: 2 },
      discovery: {
        kamailio_rpc: [{ ...source, url: `http://127.0.0.1:${port}/RPC`, refresh_interval: 1 }],
      },
    });
    const isUp = (destination: string) => exporter.metric('sip_keepalive_up', { destination });
    const becomes = (flags: string) =>
      eventually(flags, async () => (await flagsOf(kamailio)) === flags).catch(async (error) => {
        throw new Error(`expected ${flags}, got ${await flagsOf(kamailio)}`, { cause: error });
      });
    const routesTo = (name: string) =>
      eventually(`a call through ${name}`, () => isAnsweredBy(t, port, name));
    const refreshes = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const name = 'sip_keepalive_discovery_last_success_timestamp_seconds';
        const before = await exporter.metric(name);
        await eventually('a refresh', async () => (await exporter.metric(name)) !== before);
      }
    };
    const changes = () => exporter.metric('sip_keepalive_kamailio_set_state_total');

    await eventually('all are up', async () => {
      const states = await Promise.all(['gw-a', 'gw-b', 'gw-c'].map(isUp));
      return states.every((state) => state === 1);
    });
    assert.equal(await flagsOf(kamailio), 'gw-a AX, gw-b AX, gw-c AX');
    assert.equal(await changes(), 0);
    assert.ok(await isAnsweredBy(t, port, 'gw-a'));

    await c.stop();
    await a.stop();
    const diedAt = performance.now();
    await routesTo('gw-b');
    t.diagnostic(
      `the first call through the other one ended ${Math.round(performance.now() - diedAt)} ms after its death`,
    );
    await becomes('gw-a IX, gw-b AX, gw-c AX');
    await eventually('the last one of set 2 is down', async () => (await isUp('gw-c')) === 0);
    await eventually('Kamailio routes to it all the same', async () => {
      const seconds = await exporter.metric('sip_keepalive_kamailio_disagreement_seconds', {
        ...{ kamailio: 'proxy-a', setid: '2', kind: 'routes_to_down' },
      });
      return seconds !== undefined && seconds > 2;
    });
    assert.equal(await flagsOf(kamailio), 'gw-a IX, gw-b AX, gw-c AX');

    await kamailio.stop();
    kamailio = await startFleetKamailio(t, port, ports);
    await becomes('gw-a IX, gw-b AX, gw-c AX');
    await routesTo('gw-b');

    const again = gateway('gw-a');
    await becomes('gw-a AX, gw-b AX, gw-c AX');
    await routesTo('gw-a');

    await kamailio.rpc('dispatcher.set_state', 'd', 1, `sip:127.0.0.1:${ports[1]}`);
    await again.stop();
    await eventually('the other one is down', async () => (await isUp('gw-a')) === 0);
    await eventually('the disabled one is not monitored', async () => {
      return (await exporter.metric('sip_keepalive_discovery_destinations')) === 2;
    });
    await refreshes(2);
    assert.equal(await flagsOf(kamailio), 'gw-a AX, gw-b DX, gw-c AX');

    await kamailio.rpc('dispatcher.set_state', 'a', 1, `sip:127.0.0.1:${ports[1]}`);
    await becomes('gw-a IX, gw-b AX, gw-c AX');
    assert.match(exporter.output(), /"event":"kamailio_state_set".*"state":"inactive"/);
    await exporter.stop('SIGKILL');
    await routesTo('gw-b');
    assert.equal(await flagsOf(kamailio), 'gw-a IX, gw-b AX, gw-c AX');
  },
);
