/** `/api/v1/silences`: silences of Alertmanager for the alerts on destinations. */

import type { RequestHandler, Response } from 'express';
import type { StatusContext } from '../../status/freshness.js';
import { type LabelFilter, matchersFor } from '../../upstream/silence-matchers.js';
import type { Silences } from '../../upstream/silences.js';
import { jsonHandler } from '../json-handler.js';
import { RequestError } from '../request-error.js';
import { readSilence } from './silence-request.js';

/** Who makes a silence if neither a password nor the request says so. */
const NOBODY = 'status page';

export type SilencesSource = Pick<Silences, 'list' | 'create' | 'end'>;

export interface SilencesOptions {
  readonly status: Pick<StatusContext, 'registry'>;
  readonly upstream: { readonly silences: SilencesSource };
  readonly settings: () => {
    /** Whether silences may be made and ended. */
    readonly isAdminEnabled: boolean;
    /** The labels that alerts have. */
    readonly metrics: LabelFilter;
  };
}

export interface SilencesHandlers {
  readonly list: RequestHandler;
  readonly create: RequestHandler;
  readonly end: RequestHandler;
}

export function silencesHandlers(options: SilencesOptions): SilencesHandlers {
  const { status, settings } = options;
  const { silences } = options.upstream;
  const requireAdmin = () => {
    if (settings().isAdminEnabled) return;
    throw new RequestError(403, 'not allowed; start the exporter with --web.enable-admin-api');
  };
  return {
    list: jsonHandler(async () => ({ silences: await silences.list() })),
    create: jsonHandler(async (request, response) => {
      requireAdmin();
      const rules = { registry: status.registry, labels: settings().metrics };
      const wanted = await readSilence(request, response, rules);
      const { target, durationMs, comment, createdBy = NOBODY } = wanted;
      const id = await silences.create({
        ...{ matchers: matchersFor(target), durationMs, comment },
        createdBy: userOf(response) ?? createdBy,
      });
      response.status(201);
      return { id };
    }),
    end: jsonHandler(async (request) => {
      requireAdmin();
      const { id } = request.params;
      const isEnded =
        typeof id === 'string' && /^[\w-]{1,64}$/.test(id) && (await silences.end(id));
      if (!isEnded) throw new RequestError(404, `no such silence: ${String(id)}`);
      return undefined;
    }),
  };
}

/** The user that basic authentication has found; undefined without passwords. */
function userOf({ locals }: Response): string | undefined {
  const user: unknown = locals['user'];
  return typeof user === 'string' && user !== '' ? user : undefined;
}
