/** Builders for the parts of JSON Schema (2020-12) that the API needs. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly const?: string | number;
  readonly description?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Properties;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
}

export type Properties = Readonly<Record<string, Schema>>;

/** An object with exactly these properties. */
export function closedObject(properties: Properties, description?: string): Schema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function listOf(items: Schema, description?: string): Schema {
  return { type: 'array', items, ...(description === undefined ? {} : { description }) };
}

export function text(description?: string): Schema {
  return { type: 'string', ...(description === undefined ? {} : { description }) };
}

export function time(description: string): Schema {
  return { type: 'string', format: 'date-time', description };
}

export function integer(description: string): Schema {
  return { type: 'integer', minimum: 0, description };
}

export function seconds(description: string): Schema {
  return { type: 'number', minimum: 0, description };
}

export function oneOf(values: readonly (string | number)[], description?: string): Schema {
  const type = typeof values[0] === 'number' ? 'integer' : 'string';
  return { type, enum: values, ...(description === undefined ? {} : { description }) };
}

/** Allows null in addition. */
export function nullable(schema: Schema): Schema {
  if (schema.$ref !== undefined) return { anyOf: [schema, { type: 'null' }] };
  const type = [...[schema.type ?? 'string'].flat(), 'null'];
  return {
    ...schema,
    type,
    ...(schema.enum === undefined ? {} : { enum: [...schema.enum, null] }),
  };
}
