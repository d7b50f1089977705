/** The real jsonnet, with the mixin. */

import { resolve } from 'node:path';
import { runToEnd } from './process.js';
import { needs, skipUnless } from './tools.js';

let built: ReturnType<typeof runToEnd> | undefined;

/** Go builds jsonnet from the module that `mixin/go.mod` pins, and keeps it in its cache. */
function build(): ReturnType<typeof runToEnd> {
  const env = { ...process.env, GOTOOLCHAIN: 'auto' };
  built ??= runToEnd('go', ['-C', 'mixin', 'tool', '-n', 'jsonnet'], { env });
  return built;
}

/** The options of a test that runs jsonnet. */
export function needsJsonnet(...others: readonly string[]): { readonly skip: string | false } {
  const programs = needs('go', ...others);
  if (programs.skip !== false) return programs;
  const { status, output } = build();
  return skipUnless(status === 0, `jsonnet, which Go builds from mixin/go.mod: ${output}`);
}

/** Evaluates an expression with `mixin`, which has this `_config`, in jsonnet. */
export function jsonnet(expression: string, config = '{}'): ReturnType<typeof runToEnd> {
  const file = JSON.stringify(resolve('mixin/mixin.libsonnet'));
  const program = `local mixin = (import ${file}) + { _config+:: ${config} }; ${expression}`;
  return runToEnd(build().stdout.trim(), ['-e', program]);
}
