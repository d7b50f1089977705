/** Reads destinations from the `modparam("keepalive", …)` statements of a kamailio.cfg. */

import { canonicalUri, pingableUri, UriError } from '../shared/uri.js';
import type { Findings, FoundDestination, Remark } from './found.js';
import { Includes, messageOf, type OpenedFile } from './kamailio/includes.js';
import { namesModule } from './kamailio/module-pattern.js';
import { Preprocessor } from './kamailio/preprocessor.js';
import { type ModParam, modParams, type Value } from './kamailio/statements.js';
import { nameProblem } from './names.js';
import { type Report, reporter } from './remark.js';
import { SourceError } from './source-error.js';
import { withBytesShown } from './text.js';

const MODULE = 'keepalive';
/** The limit of the setting `ping_interval`; Kamailio's `int` would allow more. */
const MAX_INTERVAL_SECONDS = 24 * 3600;
const MAX_COUNTER = 2 ** 31 - 1;

/** The parameters for all destinations: the last value of each. */
interface CommonParams {
  ping_interval?: number;
  ping_from?: string;
  delete_counter?: number;
}

type KnownValue = Exclude<Value, { kind: 'unknown' }>;

interface Param {
  readonly name: string;
  readonly value: KnownValue;
}

/**
 * Reads a kamailio.cfg with all files that it includes. Kamailio adds its destinations after it has read
 * everything, so the last interval, From and counter apply to every destination, wherever they are set.
 * Defines on Kamailio's command line (`-A`) are unknown.
 *
 * @param read returns the content of a file, or throws.
 * @returns also the files that were read.
 * @throws SourceError when the file itself cannot be read.
 */
export function readKamailioCfg(
  path: string,
  read: (path: string) => string,
): Findings & { readonly files: readonly string[] } {
  const includes = new Includes(read);
  const remarks: Remark[] = [];
  const destinations = new Map<string, string>();
  const common: CommonParams = {};
  for (const statement of modParams(new Preprocessor(open(path, includes), includes, remarks))) {
    const report = reporter(remarks, statement.place);
    const param = keepaliveParam(statement, report);
    if (param !== undefined) apply(param, statement.place, destinations, common, report);
  }
  const found = [...destinations].map(
    ([uri, place]): FoundDestination => ({ place, owner: undefined, entry: { uri, ...common } }),
  );
  return { found, remarks, files: includes.files };
}

function open(path: string, includes: Includes): OpenedFile {
  try {
    return includes.open(path);
  } catch (cause) {
    throw new SourceError(`${path}: expected a readable file, got ${messageOf(cause)}`, { cause });
  }
}

/** The parameter of a statement for keepalive that Kamailio would accept; undefined for others. */
function keepaliveParam(
  { module, name, value, problem, isInBlock }: ModParam,
  report: Report,
): Param | undefined {
  const skip = (reason: string): undefined => {
    report('skipped', reason);
  };
  if (module.kind === 'number') return undefined;
  if (module.kind === 'unknown') return skip(`the module: ${module.reason}`);
  const isKeepalive = namesModule(module.text, MODULE);
  if (isKeepalive === undefined) {
    const quoted = JSON.stringify(module.text.slice(0, 120));
    return skip(`expected a module, or modules separated by |, got the pattern ${quoted}`);
  }
  if (!isKeepalive) return undefined;
  if (isInBlock) return skip('modparam within braces, where Kamailio does not accept it');
  if (name.kind === 'unknown') return skip(`the parameter name: ${name.reason}`);
  if (value === undefined) return skip(problem);
  if (name.kind === 'number') return skip(`expected a parameter name, got ${name.value}`);
  if (value.kind === 'unknown') return skip(`${name.text}: ${value.reason}`);
  return { name: name.text, value };
}

function apply(
  { name, value }: Param,
  place: string,
  destinations: Map<string, string>,
  common: CommonParams,
  report: Report,
): void {
  switch (name) {
    case 'destination':
      addDestination(value, place, destinations, report);
      return;
    case 'ping_from': {
      const from = uriOf(name, value, canonicalUri, report);
      if (from !== undefined) common.ping_from = from;
      return;
    }
    case 'ping_interval': {
      const seconds = wholeNumber(name, value, 1, MAX_INTERVAL_SECONDS, report);
      if (seconds !== undefined) common.ping_interval = seconds;
      return;
    }
    case 'delete_counter': {
      const failures = wholeNumber(name, value, 0, MAX_COUNTER, report);
      if (failures !== undefined) common.delete_counter = failures;
      return;
    }
    default: {
      const known = 'destination, ping_interval, ping_from or delete_counter';
      report('skipped', `expected ${known}, got ${JSON.stringify(name.slice(0, 120))}`);
    }
  }
}

function addDestination(
  value: KnownValue,
  place: string,
  destinations: Map<string, string>,
  report: Report,
): void {
  const uri = uriOf('destination', value, (text) => pingableUri(text, 'auto'), report);
  if (uri === undefined) return;
  const problem = nameProblem(uri);
  const first = destinations.get(uri);
  if (problem !== undefined) report('skipped', problem);
  else if (first !== undefined)
    report('duplicate', `duplicate destination ${uri} (also at ${first})`);
  else destinations.set(uri, place);
}

function uriOf(
  name: string,
  value: KnownValue,
  canonical: (text: string) => string,
  report: Report,
): string | undefined {
  const skip = (reason: string): undefined => {
    report('skipped', `${name}: ${reason}`);
  };
  if (value.kind === 'number') return skip(`expected a string, got ${value.value}`);
  const bytes = withBytesShown(value.text);
  if (bytes !== undefined) return skip(`expected UTF-8, got ${bytes.slice(0, 120)}`);
  try {
    return canonical(value.text);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    return skip(error.message);
  }
}

function wholeNumber(
  name: string,
  value: KnownValue,
  min: number,
  max: number,
  report: Report,
): number | undefined {
  const isQuoted = value.kind === 'text';
  const number = isQuoted && /^-?\d{1,10}$/.test(value.text) ? Number(value.text) : Number.NaN;
  const given = isQuoted ? number : value.value;
  if (!(given >= min && given <= max)) {
    const got = isQuoted ? JSON.stringify(value.text.slice(0, 120)) : value.value;
    report('skipped', `${name}: expected a whole number from ${min} to ${max}, got ${got}`);
    return undefined;
  }
  if (isQuoted) {
    report('adjusted', `${name}: ${given} is used; Kamailio itself rejects a number in quotes`);
  }
  return given;
}
