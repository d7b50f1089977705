/** Reads the settings of the servers that the status page gets more from. */

import type { HttpSettings } from '../platform/http.js';
import { readFields } from './fields.js';
import { serverUrl } from './formats.js';
import { HTTP, readHttp } from './http-settings.js';
import type { Report } from './problems.js';

export interface UpstreamSettings {
  /** Undefined if not set. */
  readonly prometheus: HttpSettings | undefined;
  readonly alertmanager: HttpSettings | undefined;
}

/** The settings as mappings whose members are not checked yet. */
type Given = Readonly<
  Record<keyof UpstreamSettings, Readonly<Record<string, unknown>> | undefined>
>;

const FIELDS = { ...HTTP, url: serverUrl } as const;

/** @param reading its directory is that of relative file names. */
export function readUpstream(
  { prometheus, alertmanager }: Given,
  reading: { readonly directory: string; readonly report: Report },
): UpstreamSettings {
  const read = (given: Given['prometheus'], path: string) =>
    given === undefined
      ? undefined
      : readHttp(given, readFields(given, FIELDS, path, reading.report), path, reading);
  return {
    prometheus: read(prometheus, 'web.prometheus_url'),
    alertmanager: read(alertmanager, 'web.alertmanager_url'),
  };
}
