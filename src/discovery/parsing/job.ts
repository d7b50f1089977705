/** What the sources of destinations have to read: the work itself, in whichever thread. */

import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseYaml, YamlError } from '../../platform/yaml.js';
import { readDispatcherList } from '../dispatcher-list.js';
import type { Findings, Skipped } from '../found.js';
import { readKamailioCfg } from '../kamailio-cfg.js';
import { MAX_BYTES } from '../limits.js';
import { SourceError } from '../source-error.js';
import { readTargetGroups } from '../target-groups.js';
import { decodeConfig, decodeText } from '../text.js';
import { checkJsonSize } from './json-size.js';

/** `place` is for people: a path, or the name of a source. */
export type Job =
  | {
      readonly kind: 'target_groups';
      readonly bytes: Uint8Array;
      readonly format: 'JSON' | 'YAML';
      readonly place: string;
    }
  | { readonly kind: 'dispatcher_list'; readonly bytes: Uint8Array; readonly place: string }
  /** `place` is the path: which files it includes is known only when it is read. */
  | { readonly kind: 'kamailio_cfg'; readonly place: string };

export interface Parsed extends Findings {
  /** Those that were read here, with what they include. */
  readonly files: readonly string[];
}

/** Lines in another encoding are told one by one up to so many. */
const MAX_LINES = 20;

/** @throws SourceError when nothing can be said. */
export function perform(job: Job): Parsed {
  switch (job.kind) {
    case 'target_groups':
      return { ...readGroups(job), files: [] };
    case 'dispatcher_list': {
      const text = decodeText(bufferOf(job.bytes));
      return { ...readDispatcherList(text, job.place, localAddresses()), files: [] };
    }
    case 'kamailio_cfg':
      return readKamailioCfg(job.place, boundedReader());
    default:
      return job satisfies never;
  }
}

function readGroups({ bytes, format, place }: Extract<Job, { kind: 'target_groups' }>): Findings {
  const buffer = bufferOf(bytes);
  if (format === 'JSON') checkJsonSize(buffer, place);
  const { text, latin1Lines } = decodeText(buffer);
  const told = [...latin1Lines].slice(0, MAX_LINES).map((line): Skipped => {
    const reason = 'the line is not UTF-8; it is read as ISO-8859-1';
    return { place: `${place}:${line}`, reason };
  });
  const { found, skipped } = readTargetGroups(parseText(text, format, place), place);
  return { found, skipped: [...told, ...skipped] };
}

function parseText(text: string, format: 'JSON' | 'YAML', place: string): unknown {
  try {
    return format === 'JSON' ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const line = error instanceof YamlError ? error.line : lineOf(why, text);
    const where = line === undefined ? '' : `line ${line}: `;
    const got = `got what is none (${where}${why.slice(0, 200)})`;
    throw new SourceError(`${place}: expected ${format}, ${got}`, { cause: error });
  }
}

/** JSON.parse tells the position. */
function lineOf(message: string, text: string): number | undefined {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  return position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
}

/** Reads files as text, of no more than so many bytes in all. @throws Error */
function boundedReader(): (path: string) => string {
  let bytes = 0;
  return (path) => {
    const stats = statSync(path);
    // To open something else, such as a pipe, may take for ever.
    if (!stats.isFile()) throw new Error('something that is no regular file');
    bytes += stats.size;
    if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    return decodeConfig(readFileSync(path));
  };
}

/** Tells whether a socket of this machine can have an address, as things are now. */
function localAddresses(): (address: string) => boolean {
  const all = new Set(
    Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? []),
  );
  return (address) => /^127\./.test(address) || address === '::1' || all.has(address);
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
