/** The file is invalid or cannot be read; the message contains its path. */
export class WebConfigError extends Error {
  override readonly name = 'WebConfigError';
}
