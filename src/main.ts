#!/usr/bin/env node

/** The command: checks the version of Node.js before anything is loaded that an old one cannot read. */

import { nodeVersionProblem } from './platform/node-version.js';

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { run } = await import('./program.js');
  // A password comparison that still runs in a thread need not end.
  process.exit(await run(process.argv.slice(2), process.env));
} else {
  process.stderr.write(`sip-keepalive-exporter: ${problem}\n`);
  process.exitCode = 2;
}
