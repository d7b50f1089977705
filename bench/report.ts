/** The table of results. */

export interface Row {
  readonly part: string;
  readonly what: string;
  readonly figure: string;
  /** Figures of others in the same run, as ratios. */
  readonly beside?: string;
  readonly goal?: string;
  readonly verdict?: string;
}

const HEADINGS = ['part', 'what', 'figure', 'compared with', 'goal', 'goal reached'];

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ part, what, figure, beside = '', goal = '', verdict = '' }) => [
    ...[part, what, figure, beside, goal, verdict],
  ]);
  return [HEADINGS, HEADINGS.map(() => '---'), ...cells]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

/** Verdict on a figure that should be small. */
export function atMost(figure: number, limit: number): string {
  return figure <= limit ? 'reached' : `missed by ${percent(figure / limit - 1)}`;
}

/** Verdict on a figure that should be large. */
export function atLeast(figure: number, limit: number): string {
  return figure >= limit ? 'reached' : `missed by ${percent(1 - figure / limit)}`;
}

export function percent(share: number): string {
  const value = 100 * share;
  return `${value.toFixed(value < 10 || (value > 99 && value < 100) ? 1 : 0)} %`;
}

/** `12.3 us`, `1.2 ms`, `2.50 s`. */
export function duration(micros: number): string {
  if (micros < 1000) return `${micros.toFixed(micros < 100 ? 1 : 0)} us`;
  if (micros < 1e6) return `${(micros / 1000).toFixed(micros < 1e5 ? 1 : 0)} ms`;
  return `${(micros / 1e6).toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 0)}x`;
}
