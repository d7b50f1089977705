/**
 * The rooms of `src/`, and which others each may import, besides `shared/` and itself; docs/architecture.md
 * draws them. `(types)` is for `import type` alone.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  // The pinger thread, from what rests on nothing to what rests on all of it.
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
  registry: [],
  discovery: ['config (types)', 'platform', 'registry', 'status (types)'],
  supervisor: ['platform'],
  status: ['config (types)'],
  metrics: ['status'],
  webhooks: ['config (types)', 'platform', 'status (types)'],
  http: ['metrics', 'platform', 'registry', 'status'],
  // main.ts, daemon.ts, library.ts and engine.ts join the rooms.
  '': [
    'config',
    'discovery',
    'http',
    'metrics',
    'platform',
    'registry',
    'status',
    'supervisor',
    'webhooks',
  ],
};
