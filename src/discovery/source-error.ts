/** The result of a source is invalid as a whole. Its last valid result stays in use. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
