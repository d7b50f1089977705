/** Reads the file that a {@link Journal} writes. */

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

/** Maximum number of invalid lines that are listed. */
const MAX_LISTED_LINES = 10;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** A file of records in the state directory. */
export interface JournalFile {
  readonly directory: string;
  readonly name: string;
  /** What it contains, in its first line. */
  readonly format: string;
  readonly version: number;
}

/** The first line of the file. */
export function headerOf({ format, version }: JournalFile): string {
  return `${JSON.stringify({ format, version })}\n`;
}

/** The state directory or the file in it cannot be used; the message says why. */
export class StateDirectoryError extends Error {
  override readonly name = 'StateFolderError';
}

/** A record, and the line that it was read from. */
export interface ReadRecord {
  readonly value: unknown;
  readonly line: string;
}

/** What the file contains. */
export interface JournalContent {
  readonly records: readonly ReadRecord[];
  /** What is wrong with the file; undefined when it is valid. */
  readonly corruption: string | undefined;
  /** Whether nothing is wrong except that the last line is incomplete, as after a crash during a write. */
  readonly isOnlyTorn: boolean;
  /** Why other users can change the content of the directory; undefined when they cannot. */
  readonly exposure: string | undefined;
}

/**
 * Reads a journal, and creates its directory if it does not exist. From a file that is corrupt or of a later
 * version, it reads as many records as possible.
 *
 * @throws StateDirectoryError when the directory or the file cannot be used.
 */
export function readJournal(file: JournalFile): JournalContent {
  const { directory, name } = file;
  try {
    makeDirectory(directory);
    const exposure = exposureOf(directory);
    const path = join(directory, name);
    const text = readSafely(path, exposure === undefined ? undefined : directory);
    if (text === undefined)
      return { records: [], corruption: undefined, isOnlyTorn: false, exposure };
    const { records, problems, isTorn } = parse(text, file);
    const corruption = problems.length === 0 ? undefined : `${path}: ${problems.join('; ')}`;
    return { records, corruption, isOnlyTorn: isTorn && problems.length === 1, exposure };
  } catch (error) {
    if (error instanceof StateDirectoryError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StateDirectoryError(`state_dir: expected a writable directory, got ${reason}`, {
      cause: error,
    });
  }
}

/** Creates a directory and its parents. (The option `recursive` of Node.js never returns below /proc.) */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}

/** A directory that others can write to is used with a warning: a Kubernetes `emptyDir` is such a one. */
function exposureOf(directory: string): string | undefined {
  const { mode } = statSync(directory);
  if ((mode & 0o022) === 0) return undefined;
  const who = (mode & 0o002) === 0 ? 'its group' : 'everybody';
  return `${directory}: ${who} can write to it (mode ${(mode & 0o7777).toString(8)}); expected 700 or 750`;
}

/**
 * The content of the file; undefined when there is none.
 *
 * @param exposedDirectory the directory if other users can write to it: then the owner of the file is checked.
 * @throws StateDirectoryError when it is not a regular file: a link, a FIFO, a device.
 */
function readSafely(path: string, exposedDirectory: string | undefined): string | undefined {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a FIFO waits for its other end.
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (hasCode(error, 'ELOOP')) {
      throw new StateDirectoryError(`${path}: expected a regular file, got a symbolic link`);
    }
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      throw new StateDirectoryError(`${path}: expected a regular file, got something else`);
    }
    if (exposedDirectory !== undefined) checkOwner(path, stat.uid, exposedDirectory);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** @throws StateDirectoryError unless the file belongs to root, to the user of this process or to the owner of the directory. */
function checkOwner(path: string, uid: number, directory: string): void {
  const ownUid = process.geteuid?.() ?? uid;
  if ([0, ownUid, statSync(directory).uid].includes(uid)) return;
  throw new StateDirectoryError(
    `${path}: expected a file of user ${ownUid}, got one of user ${uid}`,
  );
}

function parse(
  text: string,
  { format, version }: JournalFile,
): {
  readonly records: readonly ReadRecord[];
  readonly problems: readonly string[];
  /** Whether the last line is incomplete. */
  readonly isTorn: boolean;
} {
  const [firstLine = '', ...lines] = text.split('\n');
  const header = parseLine(firstLine);
  if (!isHeader(header, format)) {
    return { records: [], problems: ['expected a header in line 1'], isTorn: false };
  }
  const records: ReadRecord[] = [];
  const problems: string[] = [];
  if (header.version !== version) {
    problems.push(`expected version ${version}, got ${header.version}`);
  }
  const last = lines.pop();
  const invalid: number[] = [];
  for (const [index, line] of lines.entries()) {
    const value = parseLine(line);
    if (value === undefined) invalid.push(index + 2);
    else records.push({ value, line });
  }
  const listed = invalid.slice(0, MAX_LISTED_LINES);
  problems.push(...listed.map((line) => `line ${line} is not valid JSON`));
  if (invalid.length > listed.length) {
    problems.push(`${invalid.length - listed.length} more lines are invalid`);
  }
  const isTorn = last !== '';
  if (isTorn) problems.push('the last line is incomplete');
  return { records, problems, isTorn };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown, format: string): value is { readonly version: unknown } {
  return (
    typeof value === 'object' && value !== null && 'format' in value && value.format === format
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
