/** The Helm chart, and the manifests that are made from it. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { load } from 'js-yaml';
import { CHART, chartFiles } from '../../deploy/helm/chart.js';
import { buildHelm } from '../../deploy/helm/helm.js';
import { manifests } from '../../deploy/helm/manifests.js';
import { documentedValues, valueAt } from '../../deploy/helm/values.js';
import { readVersion } from '../../src/platform/version.js';
import {
  EXAMPLES,
  exampleFile,
  helm,
  type Node,
  needsHelm,
  ofKind,
  type Rendered,
  render,
  VERSIONS,
} from '../support/helm.js';
import { type KubernetesSchemas, kubernetesSchemas } from '../support/kubernetes.js';
import { type CleanUps, folder } from '../support/process.js';

const VALUES = documentedValues(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
describe('every object satisfies the schema of its kind', () => {
  const cleanUps: (() => void)[] = [];
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });
  const t: CleanUps = { after: (cleanUp) => cleanUps.push(cleanUp) };
  let downloaded: KubernetesSchemas | undefined;
  const schemas = () => {
    downloaded ??= kubernetesSchemas(t, VERSIONS);
    return downloaded;
  };
  const peers = needsHelm('python3', 'pip3');

  for (const version of VERSIONS) {
    for (const example of [undefined, ...EXAMPLES]) {
      test(`with ${example ?? 'no'} values, in Kubernetes ${version}`, peers, (t) => {
        if (schemas().skip !== false) return t.skip(String(schemas().skip));
        const objects = render({ ...(example && { example }), version });
        assert.ok(objects.length >= 3);
        for (const object of objects) {
          const where = `${object.kind} ${object.metadata.name}`;
          assert.equal(schemas().errorsOf(object, version), '', where);
        }
      });
    }
  }

  test('and of an object with an unknown member or a wrong type that is an error', peers, (t) => {
    if (schemas().skip !== false) return t.skip(String(schemas().skip));
    const objects = render({ example: 'everything' });
    for (const kind of new Set(objects.map((object) => object.kind))) {
      const [object = assert.fail()] = ofKind(objects, kind);
      const [version] = VERSIONS;
      const unknown = { ...object, unknown: 1 };
      assert.match(schemas().errorsOf(unknown, version), /additional properties/, kind);
      const wrong = { ...object, metadata: 'sip' } as unknown as Rendered;
      assert.match(schemas().errorsOf(wrong, version), /must be object/, kind);
    }
  });
});

describe('helm lint --strict', () => {
  for (const example of EXAMPLES) {
    test(`accepts the ${example} values`, needsHelm(), () => {
      const args = ['lint', '--strict', CHART, `--values=${exampleFile(example)}`];
      const { status, output } = helm([...args, '--kube-version=1.37.0']);
      assert.equal(status, 0, output);
      assert.match(output, /1 chart\(s\) linted, 0 chart\(s\) failed/);
    });
  }
});

test('the schema has every value that values.yaml documents, and no other', () => {
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Node;
  const members = ({ properties, additionalProperties }: Node) => {
    assert.equal(additionalProperties, false);
    return Object.entries(properties ?? {});
  };
  const paths = members(schema).flatMap(([key, value]) => {
    const isSection = VALUES.some(({ path }) => path.startsWith(`${key}.`));
    return isSection ? members(value).map(([name]) => `${key}.${name}`) : [key];
  });
  assert.deepEqual(
    paths.filter((path) => path !== 'global').sort(),
    VALUES.map(({ path }) => path).sort(),
  );
  assert.ok(VALUES.every(({ doc }) => doc.endsWith('.')));
});

test('values.yaml documents every value, and the examples set each', () => {
  const leaves = (node: unknown, path = ''): string[] =>
    VALUES.some((value) => value.path === path)
      ? [path]
      : Object.entries(node as object).flatMap(([key, value]) =>
          leaves(value, path === '' ? key : `${path}.${key}`),
        );
  assert.deepEqual(
    leaves(load(readFileSync(join(CHART, 'values.yaml'), 'utf8'))),
    VALUES.map(({ path }) => path),
  );
  const examples = EXAMPLES.map((name) => load(readFileSync(exampleFile(name), 'utf8')));
  for (const { path } of VALUES)
    assert.ok(
      examples.some((example) => valueAt(example, path) !== undefined),
      `an example sets ${path}`,
    );
});

test('the files of the chart are those that npm run chart makes', () => {
  for (const [path, text] of chartFiles())
    assert.equal(readFileSync(path, 'utf8'), text, `${path} is outdated; run npm run chart`);
  const { version, appVersion } = load(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Node;
  assert.deepEqual([version, appVersion], [readVersion(), readVersion()]);
});

test('deploy/kubernetes has what npm run chart makes', needsHelm(), () => {
  const made = manifests(buildHelm());
  for (const [path, text] of made)
    assert.equal(readFileSync(path, 'utf8'), text, `${path} is outdated; run npm run chart`);
  const files = readdirSync('deploy/kubernetes').map((name) => join('deploy/kubernetes', name));
  assert.deepEqual(files.sort(), [...made.keys()].sort());
});

test('a package of the chart makes what its folder makes', needsHelm(), (t) => {
  const path = folder(t);
  const made = helm(['package', CHART, `--destination=${path}`]);
  assert.equal(made.status, 0, made.output);
  const render = (chart: string) => {
    const values = `--values=${exampleFile('everything')}`;
    return helm(['template', 'sip', chart, '--kube-version=1.37.0', values]).stdout;
  };
  const packaged = join(path, `sip-keepalive-exporter-${readVersion()}.tgz`);
  assert.match(render(packaged), /alert: SipKeepaliveDestinationDown/);
  assert.equal(render(packaged), render(CHART));
});
