/** `GET /metrics`. */

import type { Request, RequestHandler, Response } from 'express';
import { exposition } from '../../metrics/exposition.js';
import { type Encoding, type Format, negotiate } from '../../metrics/format.js';
import { ProtobufRenderer } from '../../metrics/protobuf/protobuf-renderer.js';
import type { ExporterMetrics, RenderSettings } from '../../metrics/renderer.js';
import { RowLabels } from '../../metrics/row-labels.js';
import { EVERYTHING, groupsOf, type Selection } from '../../metrics/selection.js';
import { TextRenderer } from '../../metrics/text-renderer.js';
import { FAMILY_GROUPS, type FamilyName } from '../../shared/family-names.js';
import type { StatusContext } from '../../status/freshness.js';
import { STARTING } from '../../status/startup.js';
import { ConcurrencyLimit } from '../server/concurrency-limit.js';
import { answerInPieces } from '../server/pieces.js';
import { rejectBusy } from '../server/pipelining.js';

/** Maximum number of concurrent responses; each has a copy of the ledger's rows. */
const MAX_CONCURRENT = 16;
/** The formats in which an answer can be written. */
const OFFERED: readonly Encoding[] = ['text', 'openmetrics', 'protobuf'];

export interface MetricsSettings extends RenderSettings {
  readonly disabled: readonly FamilyName[];
  /** Labels of users: these alone, or all but these. */
  readonly keptLabels: readonly string[] | undefined;
  readonly droppedLabels: readonly string[] | undefined;
}

export interface MetricsOptions {
  readonly status: StatusContext;
  /** Rendered before the metrics of destinations. */
  readonly exporterMetrics: ExporterMetrics;
  /** Those in force now. */
  readonly settings: () => MetricsSettings;
  readonly startup: { readonly isDone: boolean };
}

export function metricsHandler(options: MetricsOptions): RequestHandler {
  const limit = new ConcurrencyLimit({ max: MAX_CONCURRENT });
  const rowLabels = labelsInForce(options.settings);
  return async (request, response) => {
    const groups = groupsOf(collected(request));
    if (groups === undefined) return rejectGroup(response);
    if (!options.startup.isDone) return rejectStarting(response);
    if (!(await limit.acquire(response))) return rejectBusy(response);
    const { status, exporterMetrics } = options;
    const settings = options.settings();
    const selection: Selection = {
      groups: groups.size === 0 ? EVERYTHING.groups : groups,
      disabled: settings.disabled,
    };
    const exposed = { status, exporterMetrics, settings, selection, rowLabels: rowLabels() };
    try {
      await answer(request, response, exposed);
    } finally {
      limit.release(response);
    }
  };
}

/** The labels as the settings have them: those that were made before, unless the settings have changed. */
function labelsInForce(settings: () => MetricsSettings): () => RowLabels {
  let key = '';
  let labels = new RowLabels();
  return () => {
    const { keptLabels: keep, droppedLabels: drop } = settings();
    const next = JSON.stringify([keep, drop]);
    if (next !== key) labels = new RowLabels({ keep, drop });
    key = next;
    return labels;
  };
}

/** The parameters `collect[]`, as node_exporter has them. */
function collected({ query }: Request): readonly string[] {
  const given: unknown = query['collect[]'] ?? [];
  return (Array.isArray(given) ? given : [given]).map(String);
}

function rejectGroup(response: Response): void {
  const text = `collect[]: expected one of ${FAMILY_GROUPS.join(', ')}\n`;
  response.status(400).type('text/plain').send(text);
}

function rejectStarting(response: Response): void {
  response.status(503).setHeader('Retry-After', '1');
  response.type('text/plain').send(STARTING);
}

/** What one answer has. */
interface Exposed {
  readonly status: StatusContext;
  readonly exporterMetrics: ExporterMetrics;
  readonly settings: RenderSettings;
  readonly selection: Selection;
  readonly rowLabels: RowLabels;
}

async function answer(request: Request, response: Response, exposed: Exposed) {
  const format = negotiate(request.headers.accept ?? '', OFFERED);
  response.setHeader('Content-Type', format.contentType);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  await answerInPieces(request, response, piecesOf(exposed, format));
}

function piecesOf(
  { status, exporterMetrics: all, settings, selection, rowLabels }: Exposed,
  format: Format,
): AsyncIterable<string | Uint8Array> {
  const { encoding } = format;
  const hasExemplars = settings.hasExemplars && encoding !== 'text';
  const options = { status, format, rowLabels, selection, hasExemplars };
  const exporterMetrics: ExporterMetrics = {
    text: (encoding) => all.text(encoding, selection),
    families: () => all.families(selection),
  };
  if (encoding === 'protobuf') {
    return exposition(options, new ProtobufRenderer(exporterMetrics, settings));
  }
  return exposition(options, new TextRenderer(encoding, exporterMetrics, settings));
}
