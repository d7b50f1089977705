/** A server cannot be asked, or its answer cannot be used; the message says which server and why. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /** Of the response to the client: 501 if the server is not configured, 502 if it fails. */
  readonly status: 501 | 502;

  constructor(status: 501 | 502, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}
