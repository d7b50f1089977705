/**
 * The schemas of Kubernetes, from PyPI's `kubernetes-validate`, and of the Prometheus operator, from its
 * Go module. Unknown members are errors, as for `kubectl apply`.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { load } from 'js-yaml';
import { type CleanUps, runToEnd } from './process.js';
import { fromPyPi } from './pypi.js';

const OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.92.1';
const OPERATOR_SUM = 'h1:rHWuFo6SVya4FBSCNg2DCzyc4xAv54zk3eDTzp5mQZc=';

/** The schemas have words of their own, and formats that only describe. */
const OPTIONS = {
  ...{ strict: false, validateFormats: false, allErrors: true },
  code: { regExp: Object.assign(goRegExp, { code: 'new RegExp' }) },
};

/** An object of Kubernetes. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface KubernetesSchemas {
  /** Why tests are skipped, if PyPI is out of reach. */
  readonly skip: string | false;
  /** What is wrong with the object in this version of Kubernetes (`1.28`): empty if nothing. */
  errorsOf(object: KubernetesObject, version: string): string;
}

/** Downloads the schemas. The tests must declare that they need `go`, `python3` and `pip3`. */
export function kubernetesSchemas(t: CleanUps, versions: readonly string[]): KubernetesSchemas {
  const { path, skip } = fromPyPi(t, 'requirements-kubernetes.txt', versions.map(folderOf));
  const ajvs = new Map<string, Ajv2020>();
  return {
    skip,
    errorsOf: (object, version) => {
      const folder = join(path, folderOf(version));
      const ajv = ajvs.get(version) ?? withDefinitions(folder);
      ajvs.set(version, ajv);
      const { key, read } = schemaOf(object, folder);
      if (ajv.getSchema(key) === undefined) ajv.addSchema(read(), key);
      return ajv.validate(key, object) ? '' : ajv.errorsText();
    },
  };
}

const folderOf = (version: string) =>
  `kubernetes_validate/kubernetes-json-schema/v${version}.0-local-strict/`;

function withDefinitions(folder: string): Ajv2020 {
  return new Ajv2020(OPTIONS).addSchema(readJson(join(folder, '_definitions.json')));
}

function schemaOf(object: KubernetesObject, folder: string) {
  const file = fileOf(object);
  const isOfOperator = object.apiVersion.startsWith('monitoring.coreos.com/');
  const read = () => (isOfOperator ? operatorSchema(object.kind) : readJson(join(folder, file)));
  return { key: file, read };
}

/** `networkpolicy-networking-v1.json` for `networking.k8s.io/v1`. */
function fileOf({ apiVersion, kind }: KubernetesObject): string {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return (
    [kind.toLowerCase(), ...group.split('.').slice(0, 1), version].filter(Boolean).join('-') +
    '.json'
  );
}

/** The schema of a CustomResourceDefinition, whose unknown members the API server would drop. */
function operatorSchema(kind: string): Schema {
  const module = downloadOperator();
  const file = `monitoring.coreos.com_${kind.toLowerCase()}s.yaml`;
  const crd = load(readFileSync(join(module, 'example/prometheus-operator-crd', file), 'utf8'));
  const { versions } = (crd as { spec: { versions: readonly CrdVersion[] } }).spec;
  const [version = assert.fail(`${file} has no version`)] = versions;
  return strict(version.schema.openAPIV3Schema) as Schema;
}

interface CrdVersion {
  readonly schema: { readonly openAPIV3Schema: Schema };
}

type Schema = { readonly [key: string]: unknown };

/** Forbids members that the schema does not name. Those of `metadata` it leaves to Kubernetes. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.entries(schema).map(([key, value]) => [key, strict(value)]);
  const isClosed = Reflect.get(schema, 'type') === 'object' && 'properties' in schema;
  return { ...(isClosed && { additionalProperties: false }), ...Object.fromEntries(parts) };
}

/** The folder with the module, whose checksum Go verifies too. */
function downloadOperator(): string {
  const args = ['mod', 'download', '-json', OPERATOR];
  const { status, stdout, output } = runToEnd('go', args, { cwd: tmpdir() });
  assert.equal(status, 0, output);
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  assert.equal(Sum, OPERATOR_SUM);
  return Dir;
}

/** A pattern of Go, which may begin with the flag `(?i)`. */
function goRegExp(pattern: string, flags: string): RegExp {
  const plain = pattern.replace(/^(\^?)\(\?i\)/, '$1');
  return new RegExp(plain, plain === pattern ? flags : `${flags}i`);
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Schema;
