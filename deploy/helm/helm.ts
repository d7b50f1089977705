/** Helm, which Go builds from the module that go.mod pins, and keeps in its cache. */

import { execFileSync } from 'node:child_process';

/** The path of the program. The first build takes minutes. @throws when it cannot be built. */
export function buildHelm(): string {
  const args = ['-C', 'deploy/helm', 'tool', '-n', 'helm'];
  // An older Go downloads the one that go.mod asks for.
  const env = { ...process.env, GOTOOLCHAIN: 'auto' };
  return execFileSync('go', args, { encoding: 'utf8', env }).trim();
}
