/**
 * Renders `/metrics` in pieces: ten thousand destinations are tens of megabytes, and other requests must
 * not wait for them.
 */

import type { Destination, RegisteredDestination } from '../shared/destination.js';
import type { TargetRow } from '../shared/ledger/rows.js';
import { hasName } from '../shared/uri.js';
import { effectiveState, lastSeenMs, type StatusContext } from '../status/freshness.js';
import {
  CONNECTION_FAMILIES,
  type ConnectionSample,
  connectionSample,
} from './connection-families.js';
import type { ExporterMetrics } from './exporter-metrics.js';
import {
  DESTINATION_FAMILIES,
  type DestinationSample,
  type Family,
  PINGER_FAMILIES,
  TARGET_FAMILIES,
  type TargetSample,
} from './families.js';
import type { Format } from './format.js';
import { RESOLUTION_FAMILIES } from './resolution-families.js';
import type { RowLabels } from './row-labels.js';

/** Approximate length of a piece in characters. */
const PIECE_LENGTH = 64 * 1024;
/** Number of ledger rows that are copied before other work may run. */
const BATCH = 500;

/** A row with the labels of all its samples, as text: `{destination="x"`. */
interface Labelled<Row> {
  readonly labels: string;
  readonly row: Row;
}

export interface ExpositionOptions {
  readonly status: StatusContext;
  /** Rendered before the metrics of destinations. */
  readonly exporterMetrics: ExporterMetrics;
  readonly format: Format;
  readonly rowLabels: RowLabels;
}

/** Yields the exposition piece by piece; an empty piece is an occasion to give way to other work. */
export async function* exposition(
  options: ExpositionOptions,
): AsyncGenerator<string, void, undefined> {
  const { status, exporterMetrics, format } = options;
  const isOpenMetrics = format.encoding === 'openmetrics';
  yield `${await exporterMetrics(isOpenMetrics ? 'openmetrics' : 'text')}\n`;
  const destinations: Labelled<DestinationSample>[] = [];
  const targets: Labelled<TargetSample>[] = [];
  const connections: Labelled<ConnectionSample>[] = [];
  const named: Labelled<DestinationSample>[] = [];
  let rows = 0;
  for (const registered of status.registry.all()) {
    rows += readRows(options, registered, { destinations, targets, connections, named });
    if (rows < BATCH) continue;
    rows = 0;
    yield '';
  }
  const pinger = [{ labels: '', row: status.ledger.pinger() }];
  for (const family of PINGER_FAMILIES) yield* lines(family, pinger, isOpenMetrics);
  for (const family of DESTINATION_FAMILIES) yield* lines(family, destinations, isOpenMetrics);
  for (const family of RESOLUTION_FAMILIES) yield* lines(family, named, isOpenMetrics);
  for (const family of TARGET_FAMILIES) yield* lines(family, targets, isOpenMetrics);
  for (const family of CONNECTION_FAMILIES) yield* lines(family, connections, isOpenMetrics);
  if (isOpenMetrics) yield '# EOF\n';
}

interface Samples {
  readonly destinations: Labelled<DestinationSample>[];
  readonly targets: Labelled<TargetSample>[];
  /** Of the targets over TCP, TLS, WS and WSS. */
  readonly connections: Labelled<ConnectionSample>[];
  /** Of the destinations with a name to resolve. */
  readonly named: Labelled<DestinationSample>[];
}

/** Reads each row once, so that the families of a target are consistent. Returns the number of rows. */
function readRows(
  { status, rowLabels, format: { escaping } }: ExpositionOptions,
  registered: RegisteredDestination,
  { destinations, targets, connections, named }: Samples,
): number {
  const { ledger } = status;
  const { auth, resolve } = registered.destination.settings;
  const [hasCredentials, isFirstOnly] = [auth !== undefined, resolve === 'first'];
  const row = ledger.destination(registered.slot);
  if (row === undefined) return 1;
  const targetRows: TargetRow[] = [];
  let targetsUp = 0;
  for (const target of registered.targets) {
    const targetRow = ledger.target(target.slot);
    if (targetRow === undefined) continue;
    targetRows.push(targetRow);
    const state = effectiveState(status, registered, targetRow.state, targetRow.lastSeenMs);
    const { transport, slot } = target;
    const labels = rowLabels.target(registered, target, escaping);
    if (state === 'up') targetsUp++;
    targets.push({
      labels,
      row: { target, transport, hasCredentials, isFirstOnly, state, row: targetRow },
    });
    if (transport === 'udp') continue;
    connections.push({
      labels,
      row: connectionSample(registered, target, ledger.connection(slot)),
    });
  }
  const lastSeen = lastSeenMs(row, targetRows);
  const state = effectiveState(status, registered, row.state, lastSeen);
  const labels = rowLabels.destination(registered, escaping);
  const sample = { labels, row: { registered, state, targetsUp, row } };
  destinations.push(sample);
  if (isNamed(registered.destination)) named.push(sample);
  return 1 + registered.targets.length;
}

function* lines<Row>(
  family: Family<Row>,
  rows: readonly Labelled<Row>[],
  isOpenMetrics: boolean,
): Generator<string, void, undefined> {
  const { name, type, help } = family;
  // OpenMetrics 1.0 names a counter's family without the suffix of its samples.
  const familyName = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  let piece = `# HELP ${familyName} ${escapeHelp(help)}\n# TYPE ${familyName} ${type}\n`;
  let labels = '';
  const emit = (value: number, more = '', suffix = ''): void => {
    const all = labels === '' && more !== '' ? `{${more.slice(1)}` : labels + more;
    piece += `${name}${suffix}${all}${all === '' ? '' : '}'} ${value}\n`;
  };
  for (const row of rows) {
    labels = row.labels;
    family.samples(row.row, emit);
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

const namedOnes = new WeakMap<Destination, boolean>();

/** As {@link hasName}, which reads the URI, remembered. */
function isNamed(destination: Destination): boolean {
  const known = namedOnes.get(destination);
  if (known !== undefined) return known;
  const isNamed = hasName(destination);
  namedOnes.set(destination, isNamed);
  return isNamed;
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
