/**
 * The rooms of `src/`, and the rooms that each may import besides itself and `shared/`, as in
 * docs/architecture.md. `(types)` allows only `import type`.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  // The pinger thread: each room imports only rooms above it.
  'pinger/time': [],
  'pinger/net': [],
  'pinger/debug': [],
  'pinger/sip': ['pinger/time (types)'],
  'pinger/dns': ['pinger/debug (types)', 'pinger/net', 'pinger/time'],
  'pinger/transport': ['pinger/debug (types)', 'pinger/net', 'pinger/sip', 'pinger/time (types)'],
  'pinger/targets': [
    'pinger/dns (types)',
    'pinger/sip',
    'pinger/time (types)',
    'pinger/transport (types)',
  ],
  'pinger/monitor': [
    'pinger/debug (types)',
    'pinger/dns',
    'pinger/sip',
    'pinger/targets',
    'pinger/time',
    'pinger/transport (types)',
  ],
  'pinger/probe': [
    'pinger/debug (types)',
    'pinger/dns',
    'pinger/monitor',
    'pinger/sip',
    'pinger/targets',
    'pinger/transport (types)',
  ],
  pinger: [
    'pinger/debug',
    'pinger/dns',
    'pinger/monitor',
    'pinger/net',
    'pinger/probe',
    'pinger/sip',
    'pinger/targets',
    'pinger/time',
    'pinger/transport',
  ],
  // The main thread.
  platform: [],
  config: ['platform'],
  registry: ['platform'],
  discovery: ['config (types)', 'platform', 'registry', 'status (types)'],
  kamailio: ['config (types)', 'discovery', 'platform (types)', 'status (types)'],
  supervisor: ['platform'],
  status: ['config (types)'],
  metrics: ['status'],
  webhooks: ['config (types)', 'platform', 'status (types)'],
  upstream: ['config (types)', 'platform', 'status (types)'],
  http: ['metrics', 'platform', 'registry', 'status', 'upstream'],
  // The files at the top of src/ join the rooms.
  '': [
    'config',
    'discovery',
    'http',
    'kamailio',
    'metrics',
    'platform',
    'registry',
    'status',
    'supervisor',
    'upstream',
    'webhooks',
  ],
};
