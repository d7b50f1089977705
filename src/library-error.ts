/** Errors of the library. */

export type KeepAliveErrorCode =
  /** The configuration, a destination or an argument is invalid. */
  | 'ERR_INVALID_ARGUMENT'
  /** The name is already used by another destination. */
  | 'ERR_NAME_IN_USE'
  /** The library is closed. */
  | 'ERR_CLOSED'
  /** The ping has no result: the exporter's own host could not send it, or stalled meanwhile. */
  | 'ERR_PING_UNAVAILABLE';

export class KeepAliveError extends Error {
  override readonly name = 'KeepAliveError';
  readonly code: KeepAliveErrorCode;

  constructor(code: KeepAliveErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Calls a function whose errors are about what the user has given. @throws KeepAliveError */
export function checking<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new KeepAliveError('ERR_INVALID_ARGUMENT', message, error);
  }
}
