/** Settings of discovery sources and webhooks. */

import type { HttpSettings } from '../platform/http.js';

export interface CommonSettings {
  /** Unique name, for log lines and the label `source`. */
  readonly name: string;
  /** Owner of its destinations unless an entry has its own. */
  readonly owner: string;
  /** Time between two reads of the source. */
  readonly refreshMs: number;
  /** Default `module` and `labels` of its destinations. */
  readonly module: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where the names of its destinations come from, the best first. */
  readonly nameFrom: readonly Origin[];
  /** Where their modules come from, unless `modules` has one. */
  readonly moduleFrom: Origin | undefined;
  readonly modules: ModulesByLabel;
}

/** A part of a found destination. */
export interface Origin {
  /** As in the configuration: `duid`, `attribute:carrier`. */
  readonly text: string;
  readonly kind: 'attribute' | 'label' | 'uri';
  /** Of the attribute, in lower case, or of the label; empty for the URI. */
  readonly name: string;
}

/** Modules by the values of labels, by the names of the labels. */
export type ModulesByLabel = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type SourceSettings = CommonSettings &
  (
    | { readonly kind: 'file_sd'; readonly files: readonly string[] }
    | { readonly kind: 'http_sd'; readonly http: HttpSettings }
    | { readonly kind: 'dispatcher_list' | 'kamailio_cfg'; readonly file: string }
    | ({ readonly kind: 'kamailio_rpc' } & KamailioRpcSettings)
  );

/** Settings of a running Kamailio. */
export interface KamailioRpcSettings {
  /** Of the JSON-RPC interface (module `jsonrpcs`). */
  readonly http: HttpSettings;
  /** Unique name of this Kamailio, for the label `kamailio`. */
  readonly kamailio: string;
  /** The lists that are read. */
  readonly lists: Readonly<Record<KamailioList, boolean>>;
  /** Attributes of dispatcher destinations that become labels. */
  readonly attributes: readonly string[];
  /** How often this Kamailio pings its destinations. */
  readonly pingIntervalMs: number;
  /** Whether this Kamailio gets the verdicts as states of its dispatcher destinations. */
  readonly setState: boolean;
  /** Whether the last active destination of a set may be made inactive. */
  readonly allowEmptySet: boolean;
}

/** `dispatcher.list`, `keepalive.list` and `uac.reg_dump`. */
export const KAMAILIO_LISTS = ['dispatcher', 'keepalive', 'uac'] as const;
export type KamailioList = (typeof KAMAILIO_LISTS)[number];

export type SourceKind = SourceSettings['kind'];
export const SOURCE_KINDS: readonly SourceKind[] = [
  'file_sd',
  'http_sd',
  'dispatcher_list',
  'kamailio_cfg',
  'kamailio_rpc',
];

/** The names of Kamailio's event routes `keepalive:dst-up` and `keepalive:dst-down`. */
export const EVENTS = ['dst-up', 'dst-down'] as const;
export type EventName = (typeof EVENTS)[number];

export interface WebhookSettings {
  /** Unique name, for log lines and the label `webhook`. */
  readonly name: string;
  readonly http: HttpSettings;
  readonly events: readonly EventName[];
  /** File with the key of the signature; empty for no signature. */
  readonly secretFile: string;
}
