/** Reads the file of records that a {@link Journal} writes. */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export const JOURNAL_FILE = 'additions.jsonl';
const FORMAT = 'sip-keepalive-exporter additions';
const VERSION = 1;
/** The first line of the file. */
export const JOURNAL_HEADER = `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`;
/** Lines that are none, of which the log tells one by one. */
const MAX_SHOWN = 10;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** The folder or the file in it cannot be used; the message says why. */
export class StateFolderError extends Error {
  override readonly name = 'StateFolderError';
}

/** A record, and the line that it was read from. */
export interface KeptRecord {
  readonly value: unknown;
  readonly line: string;
}

/** What a folder held. */
export interface Kept {
  readonly records: readonly KeptRecord[];
  /** What is wrong with the file, in words; undefined when nothing is. */
  readonly damage: string | undefined;
  /** Why others could change what is in the folder, in words; undefined when they cannot. */
  readonly exposure: string | undefined;
}

/**
 * Reads what is in `folder`, which is made if need be. Of what is damaged, or of a later version, as
 * much is read as can be.
 *
 * @throws StateFolderError when the folder or the file cannot be used.
 */
export function readJournal(folder: string): Kept {
  try {
    makeFolder(folder);
    const exposure = exposureOf(folder);
    const text = readOwnFile(
      join(folder, JOURNAL_FILE),
      exposure === undefined ? undefined : folder,
    );
    if (text === undefined) return { records: [], damage: undefined, exposure };
    const { records, faults } = parse(text);
    const damage =
      faults.length === 0 ? undefined : `${join(folder, JOURNAL_FILE)}: ${faults.join('; ')}`;
    return { records, damage, exposure };
  } catch (error) {
    if (error instanceof StateFolderError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new StateFolderError(`state_dir: expected a folder to write to, got ${why}`, {
      cause: error,
    });
  }
}

/** With those above it. (Node's own recursive way has no end where nothing can be made: /proc.) */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  mkdirSync(folder, { mode: 0o700 });
}

/** A folder of Kubernetes' `emptyDir` is open to all: such a one is used, with a warning. */
function exposureOf(folder: string): string | undefined {
  const { mode } = statSync(folder);
  if ((mode & 0o022) === 0) return undefined;
  const who = (mode & 0o002) === 0 ? 'its group' : 'everybody';
  return `${folder}: ${who} may write to it (mode ${(mode & 0o7777).toString(8)}); expected 700 or 750`;
}

/**
 * @param sharedFolder the folder, when others may write to it: then the file has to be ours.
 * @throws StateFolderError when it is no regular file: a link, a FIFO, a device.
 */
function readOwnFile(path: string, sharedFolder: string | undefined): string | undefined {
  let fd: number;
  try {
    // Without O_NONBLOCK the opening of a FIFO would wait for its other end.
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (hasCode(error, 'ELOOP')) {
      throw new StateFolderError(`${path}: expected a regular file, got a symbolic link`);
    }
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new StateFolderError(`${path}: expected a regular file, got another`);
    const owners = [0, process.geteuid?.() ?? stat.uid];
    if (sharedFolder !== undefined) owners.push(statSync(sharedFolder).uid);
    if (sharedFolder !== undefined && !owners.includes(stat.uid)) {
      throw new StateFolderError(
        `${path}: expected a file of our own, got one of user ${stat.uid}`,
      );
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function parse(text: string): { records: readonly KeptRecord[]; faults: readonly string[] } {
  const [header = '', ...lines] = text.split('\n');
  const head = parsed(header);
  if (!isHeader(head)) return { records: [], faults: ['expected a header as its first line'] };
  const records: KeptRecord[] = [];
  const faults: string[] = [];
  if (head.version !== VERSION) faults.push(`expected version ${VERSION}, got ${head.version}`);
  const last = lines.pop();
  const bad: number[] = [];
  for (const [index, line] of lines.entries()) {
    const value = parsed(line);
    if (value === undefined) bad.push(index + 2);
    else records.push({ value, line });
  }
  const shown = bad.slice(0, MAX_SHOWN);
  faults.push(...shown.map((line) => `line ${line} is no record`));
  if (bad.length > shown.length) faults.push(`${bad.length - shown.length} more lines are none`);
  if (last !== '') faults.push('the last line was not written to its end');
  return { records, faults };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is { readonly version: unknown } {
  return (
    typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
