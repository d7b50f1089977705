/** Reads destinations from a kamailio.cfg: those of its modules keepalive and dispatcher. */

import { readDispatcherList } from './dispatcher-list.js';
import type { Findings, FoundDestination, Remark } from './found.js';
import { DispatcherParams, type ListFile } from './kamailio/dispatcher-params.js';
import { Includes, messageOf, type OpenedFile } from './kamailio/includes.js';
import { KeepaliveParams } from './kamailio/keepalive-params.js';
import { isModuleFile, namesModule } from './kamailio/module-pattern.js';
import type { Module, Param } from './kamailio/param.js';
import { Preprocessor } from './kamailio/preprocessor.js';
import { type ModParam, statementsOf } from './kamailio/statements.js';
import { type Report, remark, reporter } from './remark.js';
import { SourceError } from './source-error.js';
import { decodeConfig, decodeText } from './text.js';

export interface CfgFindings extends Findings {
  /** The files that were read or looked for. */
  readonly files: readonly string[];
  /** Why the list of dispatcher cannot be read; empty if it can, or there is none. */
  readonly errors: readonly string[];
}

/**
 * Reads a kamailio.cfg with all files that it includes, and the list of its module dispatcher. Defines on
 * Kamailio's command line (`-A`) are unknown.
 *
 * @param read returns the content of a file, or throws.
 * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
 * @throws SourceError when the file itself cannot be read.
 */
export function readKamailioCfg(
  path: string,
  read: (path: string) => Buffer,
  isLocal: (address: string) => boolean,
): CfgFindings {
  const includes = new Includes((file) => decodeConfig(read(file)));
  const remarks: Remark[] = [];
  const keepalive = new KeepaliveParams();
  const dispatcher = new DispatcherParams(isLocal);
  const modules = [keepalive, dispatcher];
  for (const statement of statementsOf(new Preprocessor(open(path, includes), includes, remarks))) {
    const report = reporter(remarks, statement.place);
    if (statement.kind === 'loadmodule') {
      const isDispatcher = isModuleFile(statement.file, dispatcher.name);
      if (isDispatcher) dispatcher.load(statement.place, report);
      continue;
    }
    const { concerned = [], param } = paramOf(statement, modules, report) ?? {};
    for (const one of concerned) if (param !== undefined) one.set(param);
  }
  const list = dispatcher.list(path);
  const listed = list && readList(list, dispatcher, read, isLocal);
  remarks.push(...(listed?.remarks ?? []));
  const found = merged(keepalive.found(), listed?.found ?? [], remarks);
  const errors = listed?.errors ?? [];
  if (found.length === 0 && errors.length === 0) {
    const reason = 'neither keepalive nor dispatcher has a destination that can be monitored';
    remarks.push(remark('empty', path, reason));
  }
  return { found, remarks, errors, files: [...includes.files, ...(listed?.files ?? [])] };
}

function open(path: string, includes: Includes): OpenedFile {
  try {
    return includes.open(path);
  } catch (cause) {
    throw new SourceError(`${path}: expected a readable file, got ${messageOf(cause)}`, { cause });
  }
}

/** The parameter of a statement that Kamailio would accept, and the modules that it concerns. */
function paramOf(
  { module, name, value, problem, place, isInBlock }: ModParam,
  modules: readonly Module[],
  report: Report,
): { readonly concerned: readonly Module[]; readonly param: Param } | undefined {
  const skip = (reason: string): undefined => {
    report('skipped', reason);
  };
  if (module.kind === 'number') return undefined;
  if (module.kind === 'unknown') return skip(`the module: ${module.reason}`);
  const { text: pattern } = module;
  if (modules.some((one) => namesModule(pattern, one.name) === undefined)) {
    const quoted = JSON.stringify(pattern.slice(0, 120));
    return skip(`expected a module, or modules separated by |, got the pattern ${quoted}`);
  }
  const known = name.kind === 'text' ? name.text : '';
  const concerned = modules.filter((one) => {
    // Of several modules, Kamailio passes over those that are not loaded.
    const isMeant = namesModule(pattern, one.name) && (one.isUsed || !pattern.includes('|'));
    return isMeant && one.concerns(known);
  });
  if (concerned.length === 0) return undefined;
  if (isInBlock) return skip('modparam within braces, where Kamailio does not accept it');
  if (name.kind === 'unknown') return skip(`the parameter name: ${name.reason}`);
  if (value === undefined) return skip(problem);
  if (name.kind === 'number') return skip(`expected a parameter name, got ${name.value}`);
  return { concerned, param: { name: name.text, value, place, report } };
}

/** Reads the list of dispatcher from the first of its paths at which there is a file. */
function readList(
  { paths, place }: ListFile,
  dispatcher: DispatcherParams,
  read: (path: string) => Buffer,
  isLocal: (address: string) => boolean,
): CfgFindings {
  const files: string[] = [];
  const nothing = { found: [], remarks: [], files };
  let failure: string | undefined;
  for (const path of paths) {
    files.push(path);
    let bytes: Buffer;
    try {
      bytes = read(path);
    } catch (error) {
      failure ??= `${path}: expected a readable file, got ${messageOf(error)}`;
      continue;
    }
    try {
      const listed = readDispatcherList(decodeText(bytes), path, isLocal, dispatcher.defaults());
      return { ...listed, errors: [], files };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return { ...nothing, errors: [error.message] };
    }
  }
  return { ...nothing, errors: [`${failure} (list_file of dispatcher, ${place})`] };
}

/**
 * A destination of both modules is one. It has the settings of dispatcher, and those of keepalive that
 * dispatcher does not set.
 */
function merged(
  kept: readonly FoundDestination[],
  listed: readonly FoundDestination[],
  remarks: Remark[],
): readonly FoundDestination[] {
  const byName = new Map(kept.map((one) => [one.entry['uri'], one]));
  const joined = listed.map((one) => {
    const name = one.entry['name'] ?? one.entry['uri'];
    const also = byName.get(name);
    if (also === undefined) return one;
    byName.delete(name);
    const reason = `${name} is also a destination of keepalive (${also.place}): pinged once, as dispatcher does`;
    remarks.push(remark('duplicate', one.place, reason));
    return { ...one, entry: { ...also.entry, ...one.entry } };
  });
  return [...byName.values(), ...joined];
}
