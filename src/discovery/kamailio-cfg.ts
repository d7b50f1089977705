/** Destinations from the `modparam("keepalive", …)` statements of a kamailio.cfg. */

import { canonicalUri, pingableUri, UriError } from '../shared/uri.js';
import type { Findings, FoundDestination, Skipped } from './found.js';
import { Includes, messageOf, type Opened } from './kamailio/includes.js';
import { matchesModule } from './kamailio/module-pattern.js';
import { Preprocessor } from './kamailio/preprocessor.js';
import { type ModParam, modParams, type Value } from './kamailio/statements.js';
import { nameFault } from './names.js';
import { remark } from './remark.js';
import { SourceError } from './source-error.js';
import { withBytesShown } from './text.js';

const MODULE = 'keepalive';
/** What our own settings take; Kamailio's `int` would take more. */
const MAX_INTERVAL_SECONDS = 24 * 3600;
const MAX_COUNTER = 2 ** 31 - 1;

/** The parameters that hold for all destinations: the last of each. */
interface Common {
  ping_interval?: number;
  ping_from?: string;
  delete_counter?: number;
}

/**
 * Reads a kamailio.cfg with all that it includes. Kamailio adds its destinations when everything has
 * been read, so the last interval, From and counter are those of every destination, wherever they
 * stand. What was defined on Kamailio's command line (`-A`) is not known here.
 *
 * @param read gives the content of a file, or throws.
 * @returns also the files that were read.
 * @throws SourceError when the file itself cannot be read.
 */
export function readKamailioCfg(
  path: string,
  read: (path: string) => string,
): Findings & { readonly files: readonly string[] } {
  const includes = new Includes(read);
  const skipped: Skipped[] = [];
  const destinations = new Map<string, string>();
  const common: Common = {};
  for (const statement of modParams(new Preprocessor(open(path, includes), includes, skipped))) {
    const report = (reason: string) => skipped.push(remark(statement.place, reason));
    const given = ofKeepalive(statement, report);
    if (given !== undefined) apply(given, statement.place, destinations, common, report);
  }
  const found = [...destinations].map(
    ([uri, place]): FoundDestination => ({ place, owner: undefined, entry: { uri, ...common } }),
  );
  return { found, skipped, files: includes.files };
}

function open(path: string, includes: Includes): Opened {
  try {
    return includes.open(path);
  } catch (cause) {
    throw new SourceError(`${path}: expected a readable file, got ${messageOf(cause)}`, { cause });
  }
}

type Report = (reason: string) => void;

/** The name and value, if the statement is one for keepalive that Kamailio would obey. */
function ofKeepalive(
  { module, name, value, fault, isInBlock }: ModParam,
  report: Report,
): { readonly name: string; readonly value: Exclude<Value, { kind: 'unknown' }> } | undefined {
  if (module.kind === 'number') return undefined;
  if (module.kind === 'unknown') return void report(`the module: ${module.why}`);
  const isOurs = matchesModule(module.text, MODULE);
  if (isOurs === undefined) {
    const shown = JSON.stringify(module.text.slice(0, 120));
    return void report(`the pattern ${shown} is not understood here: not used`);
  }
  if (!isOurs) return undefined;
  if (isInBlock) return void report('modparam within braces, where Kamailio takes none');
  if (name.kind === 'unknown') return void report(`the parameter name: ${name.why}`);
  if (value === undefined) return void report(fault);
  if (name.kind === 'number') return void report(`expected a parameter name, got ${name.value}`);
  if (value.kind === 'unknown') return void report(`${name.text}: ${value.why}: not used`);
  return { name: name.text, value };
}

function apply(
  { name, value }: { readonly name: string; readonly value: Exclude<Value, { kind: 'unknown' }> },
  place: string,
  destinations: Map<string, string>,
  common: Common,
  report: Report,
) {
  switch (name) {
    case 'destination':
      return addDestination(value, place, destinations, report);
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
    default:
      return report(`${name.slice(0, 120)} is no parameter of ${MODULE}`);
  }
}

function addDestination(
  value: Exclude<Value, { kind: 'unknown' }>,
  place: string,
  destinations: Map<string, string>,
  report: Report,
) {
  const uri = uriOf('destination', value, (text) => pingableUri(text, 'auto'), report);
  if (uri === undefined) return;
  const fault = nameFault(uri);
  const first = destinations.get(uri);
  if (fault !== undefined) report(fault);
  else if (first !== undefined) report(`${uri} is there already, at ${first}`);
  else destinations.set(uri, place);
}

function uriOf(
  name: string,
  value: Exclude<Value, { kind: 'unknown' }>,
  canonical: (text: string) => string,
  report: Report,
): string | undefined {
  if (value.kind === 'number') return void report(`${name}: expected a string, got ${value.value}`);
  const bytes = withBytesShown(value.text);
  if (bytes !== undefined) {
    return void report(`${name}: expected UTF-8, got ${bytes.slice(0, 120)}: not used`);
  }
  try {
    return canonical(value.text);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    return void report(`${name}: ${error.message}`);
  }
}

function wholeNumber(
  name: string,
  value: Exclude<Value, { kind: 'unknown' }>,
  from: number,
  to: number,
  report: Report,
): number | undefined {
  const isQuoted = value.kind === 'text';
  const number = isQuoted && /^-?\d{1,10}$/.test(value.text) ? Number(value.text) : Number.NaN;
  const given = isQuoted ? number : value.value;
  if (!(given >= from && given <= to)) {
    const got = isQuoted ? JSON.stringify(value.text.slice(0, 120)) : value.value;
    return void report(`${name}: expected a whole number from ${from} to ${to}, got ${got}`);
  }
  if (isQuoted) report(`${name}: ${given} is used; Kamailio itself refuses the number in quotes`);
  return given;
}
