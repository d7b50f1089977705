import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type AlertmanagerConfig,
  type Posted,
  startAlertmanager,
  startHttpSink,
  startSmtpSink,
} from '../support/alerting.js';
import { eventually, folder } from '../support/process.js';
import { needs } from '../support/tools.js';

const NEEDED = needs('prometheus-alertmanager');
const RUNBOOK = 'https://wiki.example.com/runbook#sipkeepalivedestinationdown';
const STARTED = '2026-11-26T03:00:00Z';

/** An alert as Prometheus posts it. */
function alertOn(destination: string, endsAt?: string) {
  return {
    labels: {
      ...{ alertname: 'SipKeepaliveDestinationDown', severity: 'critical', job: 'sip-keepalive' },
      ...{ instance: 'x:10060', destination },
    },
    annotations: {
      summary: `${destination}: no answer for 2 min`,
      description: 'All its relevant targets are down <now> & here.',
      runbook_url: RUNBOOK,
      dashboard_url: `http://x:10060/#/destination/${encodeURIComponent(destination)}`,
    },
    generatorURL: 'http://prometheus/graph?g0.expr=x',
    startsAt: STARTED,
    ...(endsAt === undefined ? {} : { endsAt }),
  };
}

/** Alertmanager with the three receivers as they are, except for their addresses and secrets. */
async function startReceivers(t: TestContext) {
  const smtp = await startSmtpSink(t);
  const { url, requests } = await startHttpSink(t);
  const path = folder(t);
  const secret = (name: string, text: string) => {
    writeFileSync(join(path, name), text);
    return join(path, name);
  };
  const change = ({ global, receivers }: AlertmanagerConfig) => ({
    global: {
      ...global,
      smtp_smarthost: `127.0.0.1:${smtp.port}`,
      smtp_require_tls: false,
      smtp_auth_password_file: secret('smtp', 's3cret'),
      pagerduty_url: `${url}/pagerduty`,
    },
    receivers: receivers.map((receiver) => ({
      ...receiver,
      ...withFile(receiver, 'slack_configs', { api_url_file: secret('slack', `${url}/slack`) }),
      ...withFile(receiver, 'pagerduty_configs', {
        routing_key_file: secret('pd', 'k'.repeat(32)),
      }),
    })),
  });
  const address = await startAlertmanager(t, change);
  const post = async (...alerts: readonly unknown[]) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(alerts);
    const posted = await fetch(`http://${address}/api/v2/alerts`, {
      method: 'POST',
      headers,
      body,
    });
    assert.equal(posted.status, 200);
  };
  return { smtp, requests, post, address };
}

function withFile(receiver: Readonly<Record<string, unknown>>, key: string, file: object) {
  const integrations = receiver[key] as readonly object[] | undefined;
  return integrations && { [key]: integrations.map((one) => ({ ...one, ...file })) };
}

interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly raw: string;
}

/** A mail with one part in quoted-printable (RFC 2045 6.7). */
function readMail(raw: string): Mail {
  const [, encoded = ''] = /\r\nContent-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s.exec(raw) ?? [];
  const [, subject = ''] = /^Subject: (.*)$/m.exec(raw) ?? [];
  return {
    raw,
    text: unquoted(encoded.replaceAll('=\r\n', '')).replaceAll('\r\n', '\n'),
    // Words of RFC 2047, encoded as Q.
    subject: subject
      .trim()
      .replace(/\?=\s+=\?utf-8\?q\?/gi, '')
      .replace(/=\?utf-8\?q\?(.*?)\?=/gi, (_, word: string) => unquoted(word.replaceAll('_', ' '))),
  };
}

const unquoted = (text: string) =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString();

const lastTo = <T>(requests: readonly Posted[], path: string): T | undefined => {
  const body = requests.findLast((request) => request.path === path)?.body;
  return body === undefined ? undefined : (JSON.parse(body) as T);
};

interface SlackMessage {
  readonly channel: string;
  readonly attachments: readonly {
    readonly title: string;
    readonly title_link: string;
    readonly text: string;
    readonly color: string;
  }[];
}

interface PagerDutyEvent {
  readonly routing_key: string;
  readonly event_action: string;
  readonly client_url: string;
  readonly links: readonly { readonly href: string; readonly text: string }[];
  readonly payload: {
    readonly summary: string;
    readonly severity: string;
    readonly class: string;
    readonly component: string;
    readonly custom_details: { readonly alerts: string };
  };
}

const TEXT = `carrier-a: no answer for 2 min
  SipKeepaliveDestinationDown (critical) since 2026-11-26 03:00:00 UTC
  All its relevant targets are down <now> & here.
  Page:    http://x:10060/#/destination/carrier-a
  Runbook: ${RUNBOOK}
  Query:   http://prometheus/graph?g0.expr=x
  Labels:  alertname=SipKeepaliveDestinationDown, destination=carrier-a, instance=x:10060, job=sip-keepalive, severity=critical
`;

test('an alert is a mail, a message in Slack and an incident of PagerDuty', NEEDED, async (t) => {
  const { smtp, requests, post } = await startReceivers(t);
  await post(alertOn('carrier-a'));
  const raw = await eventually('the mail', () => smtp.messages[0]);
  const { subject, text } = readMail(raw);
  assert.equal(subject, '[down] carrier-a: no answer for 2 min');
  assert.equal(text.trimEnd(), TEXT.trimEnd());
  assert.doesNotMatch(raw, /text\/html/);
  assert.deepEqual(smtp.logins, ['\0alertmanager\0s3cret']);

  const slack = await eventually('Slack', () => lastTo<SlackMessage>(requests, '/slack'));
  assert.equal(slack.channel, '#voice');
  const [{ title, title_link, text: marked, color } = assert.fail()] = slack.attachments;
  assert.equal(title, subject);
  assert.equal(title_link, 'http://x:10060/#/destination/carrier-a');
  assert.equal(color, 'danger');
  assert.equal(
    marked.trimEnd(),
    `*carrier-a: no answer for 2 min*
All its relevant targets are down &lt;now&gt; &amp; here.
<http://x:10060/#/destination/carrier-a|Page>  <${RUNBOOK}|Runbook>  <http://prometheus/graph?g0.expr=x|Query>`,
  );

  const page = await eventually('PagerDuty', () => lastTo<PagerDutyEvent>(requests, '/pagerduty'));
  const { payload } = page;
  assert.deepEqual([page.event_action, page.routing_key], ['trigger', 'k'.repeat(32)]);
  assert.deepEqual(
    [payload.summary, payload.severity, payload.class, payload.component],
    [subject, 'critical', 'SipKeepaliveDestinationDown', 'carrier-a'],
  );
  assert.equal(page.client_url, 'http://x:10060/#/destination/carrier-a');
  assert.deepEqual(page.links, [{ href: RUNBOOK, text: 'Runbook' }]);
  assert.equal(payload.custom_details.alerts.trimEnd(), TEXT.trimEnd());

  await post(alertOn('carrier-a', new Date().toISOString()));
  const resolved = await eventually('the mail that it is resolved', () => smtp.messages[1]);
  assert.equal(readMail(resolved).subject, '[resolved] carrier-a: no answer for 2 min');
  assert.match(readMail(resolved).text, /^Resolved 20\d\d-\d\d-\d\d [\d:]{8} UTC:\ncarrier-a: no /);
  await eventually('PagerDuty closes it', () => {
    const last = lastTo<PagerDutyEvent>(requests, '/pagerduty');
    return last?.event_action === 'resolve';
  });
  await eventually('Slack has it in green', () => {
    const last = lastTo<SlackMessage>(requests, '/slack');
    return last?.attachments[0]?.color === 'good';
  });
});

test('several alerts are one message that names the first three', NEEDED, async (t) => {
  const { smtp, requests, post, address } = await startReceivers(t);
  const names = ['b', 'a<1>', 'ö', 'd', 'e'];
  await post(...names.map((name) => alertOn(name)));
  const raw = await eventually('the mail', () => smtp.messages[0]);
  const { subject, text } = readMail(raw);
  assert.equal(subject, '[down] 5: a<1>, b, d, …');
  for (const name of names) assert.ok(text.includes(`${name}: no answer for 2 min\n`), text);
  const slack = await eventually('Slack', () => lastTo<SlackMessage>(requests, '/slack'));
  const [attachment = assert.fail()] = slack.attachments;
  assert.match(attachment.text, /^\*a&lt;1&gt;: no answer for 2 min\*\n/);
  assert.match(attachment.title_link, new RegExp(`:${address.replace(/^.*:/, '')}$`));

  // What is still firing is in the subject; what is not any more is in the text.
  const now = new Date().toISOString();
  await post(...names.slice(1).map((name) => alertOn(name, now)), alertOn('b'));
  const mail = await eventually('the mail that some are resolved', () =>
    smtp.messages.map(readMail).find(({ subject }) => subject.startsWith('[down] b: ')),
  );
  assert.equal(mail.subject, '[down] b: no answer for 2 min');
  assert.equal(mail.text.match(/^Resolved /gm)?.length, 4);
});

test(
  'an alert that is not critical does not page, and one of others is readable',
  NEEDED,
  async (t) => {
    const { smtp, requests, post } = await startReceivers(t);
    await post({
      labels: { alertname: 'NodeFilesystemFull', instance: 'x:9100' },
      startsAt: STARTED,
    });
    const raw = await eventually('the mail', () => smtp.messages[0]);
    const { subject, text } = readMail(raw);
    assert.equal(subject, '[node filesystem full] NodeFilesystemFull');
    assert.match(text, /^NodeFilesystemFull\n {2}NodeFilesystemFull \(\) since /);
    await eventually('Slack', () => lastTo<SlackMessage>(requests, '/slack'));
    assert.equal(lastTo(requests, '/pagerduty'), undefined);
  },
);
