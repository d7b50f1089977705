/** Checks responses against the OpenAPI document. */

import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { OPENAPI_DOCUMENT } from '../../src/http/openapi/document.js';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
addFormats.default(ajv);
ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'paths', 'webhooks', 'components']);
ajv.addSchema(OPENAPI_DOCUMENT, 'api');

/** Asserts that the value matches the schema at this JSON pointer of the document. */
function holds(pointer: string, value: unknown, what: string): void {
  const validate = ajv.getSchema(`api#${pointer}`);
  assert.ok(validate !== undefined, `the document has no ${pointer}`);
  validate(value);
  assert.deepEqual(validate.errors ?? [], [], what);
}

/** Asserts that the value matches a schema of `components`. */
export function isComponent(name: string, value: unknown): void {
  holds(`/components/schemas/${name}`, value, name);
}

/** Asserts that the document describes the response. Returns its JSON, if any. */
export async function isDescribed(
  method: 'get' | 'post' | 'delete',
  path: string,
  answer: Response,
): Promise<unknown> {
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
  const escaped = (key: string) =>
    encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
  const keys = ['paths', path, method, 'responses', String(answer.status)];
  const what = `${method} ${path} ${answer.status} ${type}`;
  const { paths } = OPENAPI_DOCUMENT as unknown as DestinationJson;
  const response = paths[path]?.[method]?.responses[String(answer.status)];
  assert.ok(response !== undefined, what);
  if (type !== '') assert.ok(response.content?.[type] !== undefined, what);
  if (type !== 'application/json') return undefined;
  const body: unknown = await answer.json();
  holds(`/${[...keys, 'content', type, 'schema'].map(escaped).join('/')}`, body, what);
  return body;
}

interface DestinationJson {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<
              Record<string, { readonly content?: Readonly<Record<string, unknown>> }>
            >;
          }
        >
      >
    >
  >;
}
