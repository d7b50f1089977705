/** A source that cannot be used as a whole: what it said before stands. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
