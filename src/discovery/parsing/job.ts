/** Parses the content of a source, on the main thread or in a worker thread. */

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { serialize } from 'node:v8';
import type { KamailioList } from '../../config/source-settings.js';
import { parseYaml, YamlError } from '../../platform/yaml.js';
import { readDispatcherList } from '../dispatcher-list.js';
import type { Findings, Remark } from '../found.js';
import { readKamailioCfg } from '../kamailio-cfg.js';
import { answerIn } from '../kamailio-rpc/client.js';
import { readKamailioList } from '../kamailio-rpc/lists.js';
import { MAX_BYTES } from '../limits.js';
import { SourceError } from '../source-error.js';
import { readTargetGroups } from '../target-groups.js';
import { decodeText, READ_AS_LATIN1 } from '../text.js';
import { checkJsonSize } from './json-size.js';

/** `place` is a path or the name of a source, for error texts. */
export type Job =
  | {
      readonly kind: 'target_groups';
      readonly bytes: Uint8Array;
      readonly format: 'JSON' | 'YAML';
      readonly place: string;
    }
  | { readonly kind: 'dispatcher_list'; readonly bytes: Uint8Array; readonly place: string }
  | KamailioListJob
  /** `place` is the path. The job reads the file, because the included files are unknown before. */
  | { readonly kind: 'kamailio_cfg'; readonly place: string };

/** A response of a running Kamailio. */
interface KamailioListJob {
  readonly kind: 'kamailio_list';
  readonly list: KamailioList;
  readonly attributes: readonly string[];
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly contentType: string;
  readonly place: string;
  /** The {@link Parsed.foundDigest} of earlier findings, which need not be returned again. */
  readonly knownDigest: string;
}

export interface Parsed extends Findings {
  /** The files that were read or looked for, including included ones. */
  readonly files: readonly string[];
  /** Only for `kamailio_list`: when it is `knownDigest`, `found` and `remarks` are unchanged and empty here. */
  readonly foundDigest?: string;
  /** Why a part of the source cannot be read. */
  readonly errors?: readonly string[];
}

/** Maximum number of remarks about lines in another encoding. */
const MAX_LINES = 20;

/** Performs a job. @throws SourceError when the whole content is invalid. */
export function perform(job: Job): Parsed {
  switch (job.kind) {
    case 'target_groups':
      return { ...readGroups(job), files: [] };
    case 'dispatcher_list': {
      const text = decodeText(bufferOf(job.bytes));
      return { ...readDispatcherList(text, job.place, localAddresses()), files: [] };
    }
    case 'kamailio_list':
      return { ...readList(job), files: [] };
    case 'kamailio_cfg':
      return readKamailioCfg(job.place, boundedReader(), localAddresses());
    default:
      return job satisfies never;
  }
}

function readGroups({ bytes, format, place }: Extract<Job, { kind: 'target_groups' }>): Findings {
  const buffer = bufferOf(bytes);
  if (format === 'JSON') checkJsonSize(buffer, place);
  const { text, latin1Lines } = decodeText(buffer);
  const encodings = [...latin1Lines]
    .slice(0, MAX_LINES)
    .map(
      (line): Remark => ({ kind: 'adjusted', place: `${place}:${line}`, reason: READ_AS_LATIN1 }),
    );
  const { found, remarks } = readTargetGroups(parseText(text, format, place), place);
  return { found, remarks: [...encodings, ...remarks] };
}

function readList(job: KamailioListJob): Omit<Parsed, 'files'> {
  const { list, attributes, bytes, status, contentType, place, knownDigest } = job;
  checkJsonSize(bytes, place);
  const answer = answerIn({ status, contentType, body: bytes }, place);
  if ('problem' in answer) throw new SourceError(answer.problem);
  const isLocal = localAddresses();
  const read = readKamailioList(answer.result, { list, attributes, isLocal });
  const { found, remarks, listings } = read;
  // Unlike JSON, this has the entries of maps.
  const foundDigest = createHash('sha256')
    .update(serialize([found, remarks]))
    .digest('base64');
  if (foundDigest === knownDigest) return { found: [], remarks: [], listings, foundDigest };
  return { found, remarks, listings, foundDigest };
}

function parseText(text: string, format: 'JSON' | 'YAML', place: string): unknown {
  try {
    return format === 'JSON' ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const line = error instanceof YamlError ? error.line : lineOf(reason, text);
    const at = line === undefined ? place : `${place}:${line}`;
    throw new SourceError(`${at}: invalid ${format}: ${reason.slice(0, 200)}`, { cause: error });
  }
}

/** The line of the position in a message of JSON.parse. */
function lineOf(message: string, text: string): number | undefined {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  return position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
}

/** Returns a function that reads files, up to MAX_BYTES in total. It throws an Error. */
function boundedReader(): (path: string) => Buffer {
  let bytes = 0;
  return (path) => {
    const stats = statSync(path);
    // Opening something else, such as a pipe, may block forever.
    if (!stats.isFile()) throw new Error('something that is not a regular file');
    bytes += stats.size;
    if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    return readFileSync(path);
  };
}

/** Returns a function that checks whether this machine has an address. */
function localAddresses(): (address: string) => boolean {
  const all = new Set(
    Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? []),
  );
  return (address) => /^127\./.test(address) || address === '::1' || all.has(address);
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
