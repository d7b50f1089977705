/** Text for queries, written so that no name can change their meaning. */

/** A regular expression that matches exactly this text, for RE2 (as `QuoteMeta` of Go). */
export function quoteRegex(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** A matcher for the label `destination`: `destination="a"`, or `destination=~"a|b"`. */
export function destinationMatcher(names: readonly string[]): string {
  const [only = '', ...others] = names;
  // The escapes of a string in JSON are valid in PromQL too, and mean the same.
  if (others.length === 0) return `destination=${JSON.stringify(only)}`;
  return `destination=~${JSON.stringify(names.map(quoteRegex).join('|'))}`;
}
