/** Where destinations come from besides the configuration, and whom changes are told to. */

import { filesIn, type TlsSettings } from '../shared/destination.js';

/** How an HTTP server is spoken to. Times are milliseconds. */
export interface HttpSettings {
  readonly url: string;
  /** For all of a request. */
  readonly timeoutMs: number;
  readonly tls: TlsSettings;
  readonly basicAuth: BasicAuth | undefined;
  readonly followRedirects: boolean;
}

/** The password is in the file where one is named. */
export interface BasicAuth {
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longer answers are refused; 64 MB where it is not given. */
  readonly maxBytes?: number;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  /** Where a redirect leads, as written; empty without one. */
  readonly location: string;
  /** The header as it was sent (RFC 9110 10.2.3). */
  readonly retryAfter?: string;
  /** In memory of its own; empty with a redirect. */
  readonly body: Buffer;
}

/** Asks an HTTP server. Rejects when it gives no answer in time, or when `signal` aborts. */
export type Requester = (
  settings: HttpSettings,
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<HttpReply>;

interface Common {
  /** Unique, for people and for the label `source`. */
  readonly name: string;
  /** On whose behalf what it finds is watched, where that does not say so itself. */
  readonly owner: string;
  /** How often it is looked at. */
  readonly refreshMs: number;
  /** Laid under what is found: `module` and `labels`. */
  readonly module: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type SourceSettings = Common &
  (
    | { readonly kind: 'file_sd'; readonly files: readonly string[] }
    | { readonly kind: 'http_sd'; readonly http: HttpSettings }
    | { readonly kind: 'dispatcher_list' | 'kamailio_cfg'; readonly file: string }
  );

export type SourceKind = SourceSettings['kind'];
export const SOURCE_KINDS: readonly SourceKind[] = [
  'file_sd',
  'http_sd',
  'dispatcher_list',
  'kamailio_cfg',
];

/** The names of Kamailio's event routes `keepalive:dst-up` and `keepalive:dst-down`. */
export const EVENTS = ['dst-up', 'dst-down'] as const;
export type EventName = (typeof EVENTS)[number];

export interface WebhookSettings {
  /** Unique, for people and for the label `webhook`. */
  readonly name: string;
  readonly http: HttpSettings;
  readonly events: readonly EventName[];
  /** Key of the signature; empty for none. */
  readonly secretFile: string;
}

/** The files whose content a request by these settings needs. */
export function filesOfHttp({ tls, basicAuth }: HttpSettings): readonly string[] {
  return [...filesIn(tls), ...(basicAuth?.passwordFile ? [basicAuth.passwordFile] : [])];
}
