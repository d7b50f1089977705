/** HTTP requests to other servers: settings, request and reply. */

import type { TlsSettings } from '../shared/destination.js';

/** Settings of HTTP requests to one server. Times are milliseconds. */
export interface HttpSettings {
  readonly url: string;
  /** Timeout of the whole request. */
  readonly timeoutMs: number;
  readonly tls: TlsSettings;
  /** At most one of the two. */
  readonly basicAuth: BasicAuth | undefined;
  readonly authorization: Authorization | undefined;
  readonly followRedirects: boolean;
}

/** A `passwordFile` that is not empty overrides `password`. */
export interface BasicAuth {
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
}

/** The header `Authorization` with a type such as Bearer. A `credentialsFile` that is not empty overrides `credentials`. */
export interface Authorization {
  readonly type: string;
  readonly credentials: string;
  readonly credentialsFile: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A longer response is rejected. Default: 64 MB. */
  readonly maxBytes?: number;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  /** Target of a redirect, as sent; empty without one. */
  readonly location: string;
  /** The Retry-After header as sent (RFC 9110 10.2.3). */
  readonly retryAfter?: string;
  /** Empty for a redirect. The receiver owns the buffer. */
  readonly body: Buffer;
}

/** Sends an HTTP request. Rejects without a response in time, or when `signal` aborts. */
export type Requester = (
  settings: HttpSettings,
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<HttpReply>;
