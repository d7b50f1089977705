/** The table of docs/interop.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Row } from './stack.js';

const FILE = 'docs/interop.md';
const BEGIN = '<!-- begin table, by npm run interop -->';
const END = '<!-- end table -->';

const COLUMNS: readonly (readonly [heading: string, key: keyof Row])[] = [
  ['stack', 'stack'],
  ['package', 'origin'],
  ['transport', 'transport'],
  ['state', 'state'],
  ['SIP code', 'code'],
  ['server', 'server'],
  ['digest', 'digest'],
  ['connection', 'connection'],
  ['CR LF CR LF', 'crlf'],
  ['two requests at once', 'two'],
  ['Max-Forwards: 0', 'maxForwards'],
];

/** Replaces the rows of the same stacks in the document. */
export function writeRows(rows: readonly Row[]): void {
  const text = readFileSync(FILE, 'utf8');
  const { before, lines, after } = parts(text);
  const names = new Set(rows.map(({ stack }) => stack));
  const others = lines.filter((line) => !names.has(cellsOf(line)[0] ?? ''));
  const all = [...others, ...rows.map(lineOf)].sort((a, b) => a.localeCompare(b, 'en'));
  const head = `| ${COLUMNS.map(([heading]) => heading).join(' | ')} |`;
  const rule = `|${' --- |'.repeat(COLUMNS.length)}`;
  writeFileSync(FILE, `${before}${BEGIN}\n\n${[head, rule, ...all].join('\n')}\n\n${END}${after}`);
}

/** The rows of a stack in the document, in the form of {@link comparable}. */
export function committedRows(stack: string): string[] {
  const { lines } = parts(readFileSync(FILE, 'utf8'));
  return lines.filter((line) => cellsOf(line)[0] === stack).map(comparable);
}

export function lineOf(row: Row): string {
  return `| ${COLUMNS.map(([, key]) => row[key]).join(' | ')} |`;
}

/** A row without the version numbers in the server header. */
export function comparable(line: string): string {
  const server = COLUMNS.findIndex(([, key]) => key === 'server');
  return cellsOf(line)
    .map((cell, column) => (column === server ? cell.replace(/\d+/g, '#') : cell))
    .join(' | ');
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function parts(text: string) {
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${FILE}: expected ${BEGIN} and ${END}`);
  const table = text.slice(start + BEGIN.length, end).trim();
  const lines = table.split('\n').slice(2);
  return { before: text.slice(0, start), lines, after: text.slice(end + END.length) };
}
