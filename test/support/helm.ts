/** The chart, rendered by the real Helm. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { CHART } from '../../deploy/helm/chart.js';
import { buildHelm } from '../../deploy/helm/helm.js';
import type { KubernetesObject } from './kubernetes.js';
import { runToEnd } from './process.js';
import { isOnPath, needs, skipUnless } from './tools.js';

/** The oldest version of Kubernetes that the chart supports, and the newest. */
export const VERSIONS = ['1.28', '1.37'] as const;

/** The files of values in the chart, as examples and for the tests: `minimal`. */
export const EXAMPLES = readdirSync(join(CHART, 'ci')).map((name) =>
  name.replace('-values.yaml', ''),
);

export const exampleFile = (name: string) => join(CHART, 'ci', `${name}-values.yaml`);

let built: { readonly helm: string; readonly error: string } | undefined;

/** Builds Helm. The first build of a machine takes minutes. */
function build(): { readonly helm: string; readonly error: string } {
  try {
    built ??= { helm: isOnPath('go') ? buildHelm() : '', error: '' };
  } catch (error) {
    built = { helm: '', error: String(error) };
  }
  return built;
}

/** The options of a test that runs Helm. */
export function needsHelm(...others: readonly string[]): { readonly skip: string | false } {
  const programs = needs('go', ...others);
  if (programs.skip !== false) return programs;
  const { error } = build();
  return skipUnless(error === '', `Helm, which Go builds from deploy/helm/go.mod: ${error}`);
}

/** Runs Helm. */
export function helm(args: readonly string[], input = ''): ReturnType<typeof runToEnd> {
  return runToEnd(build().helm, args, { input });
}

export interface Release {
  /** One of `EXAMPLES`. */
  readonly example?: string;
  /** Values that replace those of the example. */
  readonly values?: object;
  readonly version?: string;
  readonly args?: readonly string[];
}

/** Runs `helm template`. */
export function template({ example, values = {}, version = VERSIONS[1], args = [] }: Release) {
  const files = example === undefined ? [] : [`--values=${exampleFile(example)}`];
  const command = ['template', 'sip', CHART, '--namespace=voice', `--kube-version=${version}.0`];
  return helm([...command, ...files, '--values=-', ...args], JSON.stringify(values));
}

/** YAML content of any shape. */
export type Node = { readonly [key: string]: Node } & readonly Node[];

/** An object of which any member may be read. */
export type Rendered = KubernetesObject & { readonly [key: string]: Node };

/** The objects of a release. @throws when Helm refuses its values. */
export function render(release: Release): readonly Rendered[] {
  const { status, stdout, stderr } = template(release);
  if (status !== 0) throw new Error(stderr);
  return objectsIn(stdout);
}

export function objectsIn(yaml: string): readonly Rendered[] {
  return loadAll(yaml).filter((one): one is Rendered => typeof one === 'object' && one !== null);
}

export function ofKind(objects: readonly Rendered[], ...kinds: readonly string[]) {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

/** The only object of these kinds. */
export function only(objects: readonly Rendered[], ...kinds: readonly string[]): Rendered {
  const [object = assert.fail(`no ${kinds}`), ...others] = ofKind(objects, ...kinds);
  assert.deepEqual(others, []);
  return object;
}

/** The Deployment or StatefulSet. */
export function workloadOf(objects: readonly Rendered[]): Rendered {
  return only(objects, 'Deployment', 'StatefulSet');
}

export function containerOf(objects: readonly Rendered[]): Node {
  const pod = workloadOf(objects)['spec']?.['template']?.['spec'];
  return pod?.['containers']?.[0] ?? assert.fail('no container');
}

export function argsOf(objects: readonly Rendered[]): readonly string[] {
  return containerOf(objects)['args'] as unknown as string[];
}

/** The file of the ConfigMap. */
export function configOf(objects: readonly Rendered[]): string {
  const [map] = ofKind(objects, 'ConfigMap').filter((one) => one['data']?.['config.yml']);
  return String(map?.['data']?.['config.yml'] ?? assert.fail('no config.yml'));
}
