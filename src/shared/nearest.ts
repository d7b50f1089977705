/** Suggestions for names that do not exist. */

/** ` (nearest: "targets")` when one of the names is a typing error away, else nothing. */
export function nearestOf(word: string, names: Iterable<string>): string {
  // A longer word is not a typing error, and would be slow to compare.
  if (word.length > 64) return '';
  let best: string | undefined;
  let fewest = Math.min(2, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const edits = distance(word.toLowerCase(), name.toLowerCase());
    if (edits >= fewest) continue;
    best = name;
    fewest = edits;
  }
  return best === undefined ? '' : ` (nearest: ${JSON.stringify(best)})`;
}

/** Edit distance (Levenshtein 1966); `-` and `_` are the same. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const isSame = b[j] === char || (/[-_]/.test(char) && /[-_]/.test(b[j] ?? ''));
      const replaced = (row[j] ?? 0) + (isSame ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
