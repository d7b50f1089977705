/** The settings of the HTTP server. */

import { setting } from './setting.js';

export const WEB_SETTINGS = {
  'web.enable-admin-api': setting('web.enable-admin-api', {
    doc: 'Allow /rpc to add and remove destinations, and the API to make and end silences.',
    format: 'boolean',
    default: false,
    member: 'web.isAdminEnabled',
    isSwitch: true,
  }),
  'web.listen-address': setting('web.listen-address', {
    doc: 'Address and port of the HTTP server, or unix: and the path of a Unix domain socket.',
    format: 'listenAddresses',
    default: [':10060'],
    member: 'web.listenAddresses',
    isRepeatable: true,
  }),
  'web.systemd-socket': setting('web.systemd-socket', {
    doc: 'Listen on the sockets of systemd (socket activation, systemd.socket(5)) in place of web.listen-address.',
    format: 'boolean',
    default: false,
    member: 'web.isSystemdSocket',
    isSwitch: true,
  }),
  'web.telemetry-path': setting('web.telemetry-path', {
    doc: 'Path of the metrics.',
    format: 'telemetryPath',
    default: '/metrics',
    member: 'web.telemetryPath',
  }),
  'web.route-prefix': setting('web.route-prefix', {
    doc: 'Path below which everything is served. By default that of web.external-url; / behind a proxy that removes it.',
    format: 'routePrefix',
    default: '',
    member: 'web.routePrefix',
  }),
  'web.enable-lifecycle': setting('web.enable-lifecycle', {
    doc: 'Allow POST /-/reload. SIGHUP always reloads.',
    format: 'boolean',
    default: false,
    member: 'web.isLifecycleEnabled',
    isSwitch: true,
  }),
  'web.external-url': setting('web.external-url', {
    doc: "URL under which users reach the exporter. /rpc, /-/reload, /config, /logs and the debug output of /probe answer only requests for its host, for localhost, for this machine's host name or for an IP address.",
    format: 'externalUrl',
    default: '',
    member: 'web.externalUrl',
  }),
  'web.config.file': setting('web.config.file', {
    doc: 'File with the TLS and basic-auth settings of the HTTP server, in the format of the Prometheus exporters.',
    format: 'string',
    default: '',
    member: 'web.configFile',
  }),
  'web.prometheus_url': setting('web.prometheus_url', {
    doc: 'URL of the Prometheus that scrapes this exporter and has the rules of rules/. The status page shows days, weeks and months from it. In the file also a mapping with credentials.',
    format: 'server',
    default: '',
    member: 'upstream.prometheus',
    isMapping: true,
    isHidden: true,
  }),
  'web.alertmanager_url': setting('web.alertmanager_url', {
    doc: 'URL of the Alertmanager that gets the alerts of rules/. The status page shows its silences, and with web.enable-admin-api makes and ends them. In the file also a mapping with credentials.',
    format: 'server',
    default: '',
    member: 'upstream.alertmanager',
    isMapping: true,
    isHidden: true,
  }),
  'web.links': setting('web.links', {
    doc: "NAME=URL of a link on a destination's page; in the file a mapping. {destination} and {uri} in the URL stand for its name and URI.",
    format: 'links',
    default: [],
    member: 'web.links',
    isRepeatable: true,
    isMapping: true,
  }),
} as const;
