/** A source cannot be used as a whole: its last good result stays in use. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
