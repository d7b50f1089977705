/**
 * The formats of `/metrics`, and their negotiation (RFC 9110 12.5.1) as in client_golang; only the escaping
 * of protobuf differs.
 */

export type Encoding = 'text' | 'openmetrics' | 'protobuf';

/**
 * How to write a label name that Prometheus before 3.0 does not allow, such as `service.name`: quoted, or
 * converted to letters, digits and underscores in one of three ways.
 */
export type Escaping = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

export interface Format {
  readonly encoding: Encoding;
  readonly escaping: Escaping;
  /** The Content-Type header of the response. */
  readonly contentType: string;
}

const ESCAPINGS: readonly Escaping[] = ['allow-utf-8', 'underscores', 'dots', 'values'];
const PROTOBUF_TYPE = 'application/vnd.google.protobuf';
const PROTOBUF_MESSAGE = 'io.prometheus.client.MetricFamily';
const OPENMETRICS_TYPE = 'application/openmetrics-text';

/** The text format and OpenMetrics for a client without further parameters. */
export const TEXT = textFormat('0.0.4', 'underscores');
export const OPENMETRICS = openMetricsFormat('1.0.0', 'underscores');

function textFormat(version: string, escaping: Escaping): Format {
  const contentType = `text/plain; version=${version}; charset=utf-8; escaping=${escaping}`;
  return { encoding: 'text', escaping, contentType };
}

function openMetricsFormat(version: string, escaping: Escaping): Format {
  const contentType = `${OPENMETRICS_TYPE}; version=${version}; charset=utf-8; escaping=${escaping}`;
  return { encoding: 'openmetrics', escaping, contentType };
}

function protobufFormat(escaping: Escaping): Format {
  const contentType = `${PROTOBUF_TYPE}; proto=${PROTOBUF_MESSAGE}; encoding=delimited; escaping=${escaping}`;
  return { encoding: 'protobuf', escaping, contentType };
}

/**
 * The format for a client with this Accept header: the first offered one, in the client's order of
 * preference. Without one, it is the text format, so that no client is rejected.
 */
export function negotiate(accept: string, offered: readonly Encoding[]): Format {
  const ranges = preferred(accept);
  for (const range of ranges) {
    const format = formatOf(range, ranges);
    if (format !== undefined && offered.includes(format.encoding)) return format;
  }
  return TEXT;
}

/** One item of the Accept header. */
interface MediaRange {
  readonly type: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** From 0 to 1. */
  readonly quality: number;
}

/** Matches an item; a comma within quotes is part of it. */
const ITEM = /(?:[^,"]|"[^"]*")+/g;
const PARAMETER = /(?:[^;"]|"[^"]*")+/g;
const QUALITY = /^(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)$/;

/** The acceptable items, the most preferred first; among equals wildcards are last. */
function preferred(accept: string): readonly MediaRange[] {
  const ranges = (accept.match(ITEM) ?? []).map(readRange).filter(({ quality }) => quality > 0);
  return ranges.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

function wildcards({ type }: MediaRange): number {
  return type.split('*').length - 1;
}

/** Parses an item. An invalid quality is 0. */
function readRange(item: string): MediaRange {
  const [type = '', ...rest] = item.match(PARAMETER) ?? [];
  const parameters = new Map(rest.map(readParameter));
  const quality = parameters.get('q') ?? '1';
  return {
    type: type.trim().toLowerCase(),
    parameters,
    quality: QUALITY.test(quality) ? Number(quality) : 0,
  };
}

function readParameter(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 0) return [text.trim().toLowerCase(), ''];
  const value = text.slice(at + 1).trim();
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return [text.slice(0, at).trim().toLowerCase(), isQuoted ? value.slice(1, -1) : value];
}

/** The format for an item of a header; undefined when the exporter does not have it. */
function formatOf(range: MediaRange, all: readonly MediaRange[]): Format | undefined {
  const { type, parameters } = range;
  const escaping = escapingOf(range) ?? 'underscores';
  const version = parameters.get('version') ?? '';
  switch (type) {
    case PROTOBUF_TYPE: {
      const isMessage = parameters.get('proto') === PROTOBUF_MESSAGE;
      const isDelimited = parameters.get('encoding') === 'delimited';
      if (!isMessage || !isDelimited) return undefined;
      // Prometheus 3 names its escaping with the text formats alone. Without this, labels would change
      // their names when native histograms are switched on.
      return protobufFormat(
        escapingOf(range) ?? all.map(escapingOf).find(Boolean) ?? 'underscores',
      );
    }
    case OPENMETRICS_TYPE:
      if (!['', '0.0.1', '1.0.0'].includes(version)) return undefined;
      return openMetricsFormat(version || '1.0.0', escaping);
    case 'text/plain':
      if (!['', '0.0.4', '1.0.0'].includes(version)) return undefined;
      return textFormat(version || '0.0.4', escaping);
    case 'text/*':
    case '*/*':
      return textFormat('0.0.4', escaping);
    default:
      return undefined;
  }
}

function escapingOf({ parameters }: MediaRange): Escaping | undefined {
  return ESCAPINGS.find((known) => known === parameters.get('escaping'));
}
