#!/usr/bin/env node

/** The command: checks the version of Node.js before it loads code that an old version cannot parse. */

import { nodeVersionProblem } from './platform/node-version.js';

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { run } = await import('./program.js');
  // Does not wait for a password check that is still running in a thread.
  process.exit(await run(process.argv.slice(2), process.env));
} else {
  process.stderr.write(`sip-keepalive-exporter: ${problem}\n`);
  process.exitCode = 2;
}
