/** Every setting of pings, declared once. */

import { type Setting, setting } from './setting.js';

/**
 * Settings of pings: at the top level for all, in a module, or on one destination. A dot in a name
 * is a level in the file.
 */
export const PING_SETTINGS = {
  ping_interval: setting('ping_interval', {
    doc: 'Time between two pings of a target. Seconds, or a number with ms, s, m or h.',
    format: 'interval',
    default: 30,
  }),
  ping_timeout: setting('ping_timeout', {
    doc: 'How long to wait for an answer, from the first send on. By default 5 s, or nine tenths of the interval where that is less.',
    format: 'timeout',
    default: '',
  }),
  ping_from: setting('ping_from', {
    doc: 'URI of the From header. By default sip:keepalive@ and the address that the ping is sent from.',
    format: 'sip_uri',
    default: '',
  }),
  rise: setting('rise', {
    doc: 'Pings alive in a row before a target is up.',
    format: 'count',
    default: 1,
  }),
  fall: setting('fall', {
    doc: 'Pings not alive in a row before a target is down.',
    format: 'count',
    default: 1,
  }),
  alive_codes: setting('alive_codes', {
    doc: 'Answers that count as alive: codes, ranges and classes in a list, ! takes away, or what another system takes: kamailio, opensips, asterisk, oracle, cucm, cube, freeswitch.',
    format: 'alive_codes',
    default: '2xx',
  }),
  method: setting('method', {
    doc: 'The request that is sent: OPTIONS, or another that the peer answers outside a dialog, such as INFO, NOTIFY or MESSAGE. Not INVITE: whoever answers it would have to be hung up on.',
    format: 'method',
    default: 'OPTIONS',
  }),
  transport: setting('transport', {
    doc: 'The wire that pings take where the URI does not name one: udp, tcp, tls, ws or wss; auto for what the NAPTR and SRV records of the name say, and udp where there are none.',
    format: 'transport',
    default: 'auto',
  }),
  connection: setting('connection', {
    doc: 'Over all wires but UDP: persistent, a connection that serves ping after ping and is opened again when it closed, or per_ping.',
    format: 'connection',
    default: 'persistent',
  }),
  ws_path: setting('ws_path', {
    doc: 'Path, and query, of the WebSocket resource.',
    format: 'path',
    default: '/',
  }),
  ws_origin: setting('ws_origin', {
    doc: 'The Origin header of the upgrade to WebSocket, which some servers want: auto for http:// (wss: https://) and the host of the destination, an origin such as https://phone.example.com, or an empty text for none.',
    format: 'origin',
    default: 'auto',
  }),
  max_forwards: setting('max_forwards', {
    doc: 'The Max-Forwards header: how many proxies may hand the ping on, 0 to 255. With 0, as Oracle sends it, the first one answers by itself, or with 483.',
    format: 'hops',
    default: 70,
  }),
  user: setting('user', {
    doc: 'User part of the Request-URI, where the destination has none.',
    format: 'user',
    default: '',
  }),
  to: setting('to', {
    doc: 'URI of the To header. By default the Request-URI.',
    format: 'sip_uri',
    default: '',
  }),
  contact: setting('contact', {
    doc: 'URI of the Contact header. By default sip:keepalive@ and the address that the ping is sent from, or via_host.',
    format: 'sip_uri',
    default: '',
  }),
  via_host: setting('via_host', {
    doc: 'host or host:port that Via names as the sender, and From and Contact by default. Over UDP, Via has the port that the ping is sent from where none is given. By default the address that the ping is sent from.',
    format: 'via_host',
    default: '',
  }),
  user_agent: setting('user_agent', {
    doc: 'The User-Agent header. By default the name and version of this program.',
    format: 'header',
    default: '',
  }),
  headers: setting('headers', {
    doc: 'Further headers: a mapping, or a flag or an item "Name: value" for each. Those that a ping has by itself are refused.',
    format: 'headers',
    default: [],
    isRepeatable: true,
    isMapping: true,
  }),
  route: setting('route', {
    doc: 'URI of an outbound proxy: pings go there, with the destination as Request-URI and a Route header.',
    format: 'text',
    default: '',
  }),
  source_address: setting('source_address', {
    doc: 'Local IP address to send from. By default the one that the routes choose.',
    format: 'address',
    default: '',
  }),
  source_port: setting('source_port', {
    doc: 'Local UDP port to send from; 0 for one that the system chooses, as it does for every connection, and for another when a target no longer answers it.',
    format: 'port_number',
    default: 0,
  }),
  dscp: setting('dscp', {
    doc: 'Differentiated services code point of what is sent, 0 to 63. Takes a Node.js that can set it, which none can on UDP sockets; elsewhere a warning says that it is not set.',
    format: 'dscp',
    default: 0,
  }),
  ip_protocol: setting('ip_protocol', {
    doc: 'Of which family the addresses of a name are pinged: any, ip4 or ip6.',
    format: 'ip_protocol',
    default: 'any',
  }),
  resolve: setting('resolve', {
    doc: 'Which addresses of a name are pinged: all of them, or first, the one that a client would try first, and within the same ping the next ones when that fails (RFC 3263 4.3).',
    format: 'resolve',
    default: 'all',
  }),
  alive_when: setting('alive_when', {
    doc: 'When a destination is up: while any of its targets is, while all are, or, by priority, while any of the best priority is.',
    format: 'alive_when',
    default: 'any',
  }),
  max_targets: setting('max_targets', {
    doc: 'How many addresses of one name are pinged at the most; those of the best priority go first.',
    format: 'target_count',
    default: 32,
  }),
  delete_counter: setting('delete_counter', {
    doc: 'Pings not alive in a row after which a target is pinged at max_backoff until it answers; 0 for never. Kamailio stops for good where this goes on slowly.',
    format: 'failure_count',
    default: 0,
  }),
  max_backoff: setting('max_backoff', {
    doc: 'Time between two pings of a target that delete_counter has slowed down; ping_interval where that is more.',
    format: 'interval',
    default: 300,
  }),
  'auth.username': setting('auth.username', {
    doc: 'User name for digest authentication.',
    format: 'credential',
    default: '',
  }),
  'auth.password': setting('auth.password', {
    doc: 'Password for digest authentication.',
    format: 'credential',
    default: '',
  }),
  'auth.password_file': setting('auth.password_file', {
    doc: 'File with the password, which is read again when it changes; a line break at its end does not count.',
    format: 'text',
    default: '',
  }),
  'tls_config.ca_file': setting('tls_config.ca_file', {
    doc: 'Certificates of the authorities to trust, PEM. By default those that Node.js ships.',
    format: 'text',
    default: '',
  }),
  'tls_config.cert_file': setting('tls_config.cert_file', {
    doc: 'Our certificate, with its chain, PEM, for peers that ask for one.',
    format: 'text',
    default: '',
  }),
  'tls_config.key_file': setting('tls_config.key_file', {
    doc: 'The private key of our certificate, PEM.',
    format: 'text',
    default: '',
  }),
  'tls_config.key_passphrase_file': setting('tls_config.key_passphrase_file', {
    doc: 'File with the passphrase of the private key.',
    format: 'text',
    default: '',
  }),
  'tls_config.server_name': setting('tls_config.server_name', {
    doc: 'Name to ask the peer for, and to hold its certificate against. By default the host of the destination, or of route.',
    format: 'server_name',
    default: '',
  }),
  'tls_config.min_version': setting('tls_config.min_version', {
    doc: 'Lowest version of TLS: TLS10, TLS11, TLS12 or TLS13.',
    format: 'tls_version',
    default: 'TLS12',
  }),
  'tls_config.max_version': setting('tls_config.max_version', {
    doc: 'Highest version of TLS.',
    format: 'tls_version',
    default: 'TLS13',
  }),
  'tls_config.ciphers': setting('tls_config.ciphers', {
    doc: 'Ciphers, as a list that OpenSSL reads, for peers that speak none of those that Node.js takes by default. @SECLEVEL=0 at its end allows what is weak: short keys, SHA-1.',
    format: 'ciphers',
    default: '',
  }),
  'tls_config.legacy_renegotiation': setting('tls_config.legacy_renegotiation', {
    doc: 'Speak with peers that do not know secure renegotiation (RFC 5746).',
    format: 'truth',
    default: false,
    isSwitch: true,
  }),
  'tls_config.insecure_skip_verify': setting('tls_config.insecure_skip_verify', {
    doc: 'Ping on whatever certificate the peer shows; what is wrong with it is told all the same.',
    format: 'truth',
    default: false,
    isSwitch: true,
  }),
  'tls_config.strict_rfc5922': setting('tls_config.strict_rfc5922', {
    doc: 'Refuse certificates for wildcards, as RFC 5922 7.2 wants it and many carriers do not.',
    format: 'truth',
    default: false,
    isSwitch: true,
  }),
} as const satisfies Readonly<Record<string, Setting>>;
