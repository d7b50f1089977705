/**
 * The text of `/metrics`, in pieces: ten thousand destinations are tens of megabytes, and nobody
 * else shall wait for them.
 */

import type { RegisteredDestination, TargetAddress } from '../shared/destination.js';
import type { TargetRow } from '../shared/ledger/reader.js';
import { hasName } from '../shared/uri.js';
import { effectiveState, lastSeenMs, type StatusContext } from '../status/freshness.js';
import {
  CONNECTION_FAMILIES,
  type ConnectionSample,
  connectionSample,
} from './connection-families.js';
import { type ContentType, type ExporterMetrics, OPENMETRICS } from './exporter-metrics.js';
import {
  DESTINATION_FAMILIES,
  type DestinationSample,
  type Family,
  labelText,
  PINGER_FAMILIES,
  TARGET_FAMILIES,
  type TargetSample,
} from './families.js';
import { RESOLUTION_FAMILIES } from './resolution-families.js';

/** Pieces are about this long, in characters. */
const PIECE = 64 * 1024;
/** Rows of the ledger that are copied between two pieces. */
const ROWS = 500;

/** A row with the labels that all its samples have, as text: `{destination="x"`. */
interface Labelled<Row> {
  readonly labels: string;
  readonly row: Row;
}

/** Yields the exposition piece by piece; an empty piece is an occasion to let others run. */
export async function* exposition(
  exporter: StatusContext,
  own: ExporterMetrics,
  contentType: ContentType,
): AsyncGenerator<string, void, undefined> {
  const isOpenMetrics = contentType === OPENMETRICS;
  yield `${await own(contentType)}\n`;
  const destinations: Labelled<DestinationSample>[] = [];
  const targets: Labelled<TargetSample>[] = [];
  const connections: Labelled<ConnectionSample>[] = [];
  const named: Labelled<DestinationSample>[] = [];
  let rows = 0;
  for (const watched of exporter.registry.all()) {
    rows += readRows(exporter, watched, { destinations, targets, connections, named });
    if (rows < ROWS) continue;
    rows = 0;
    yield '';
  }
  const pinger = [{ labels: '', row: exporter.ledger.pinger() }];
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
  /** Of the targets that are reached by connections. */
  readonly connections: Labelled<ConnectionSample>[];
  /** Of the destinations that have a name to be resolved. */
  readonly named: Labelled<DestinationSample>[];
}

/** Each row is read once, so the families of one target agree. */
function readRows(
  exporter: StatusContext,
  watched: RegisteredDestination,
  { destinations, targets, connections, named }: Samples,
): number {
  const { ledger } = exporter;
  const { auth, resolve } = watched.destination.settings;
  const [hasCredentials, isFirstOnly] = [auth !== undefined, resolve === 'first'];
  const row = ledger.destination(watched.slot);
  if (row === undefined) return 1;
  const targetRows: TargetRow[] = [];
  let targetsUp = 0;
  for (const target of watched.targets) {
    const targetRow = ledger.target(target.slot);
    if (targetRow === undefined) continue;
    targetRows.push(targetRow);
    const state = effectiveState(exporter, watched, targetRow.state, targetRow.lastSeenMs);
    const { transport, slot } = target;
    const labels = targetLabels(watched, target);
    if (state === 'up') targetsUp++;
    targets.push({
      labels,
      row: { target, transport, hasCredentials, isFirstOnly, state, row: targetRow },
    });
    if (transport === 'udp') continue;
    connections.push({ labels, row: connectionSample(watched, target, ledger.connection(slot)) });
  }
  const state = effectiveState(exporter, watched, row.state, lastSeenMs(row, targetRows));
  const { labels, isNamed } = constantOf(watched);
  const sample = { labels, row: { watched, state, targetsUp, row } };
  destinations.push(sample);
  if (isNamed) named.push(sample);
  return 1 + watched.targets.length;
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
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** What is the same for a destination in every scrape. */
interface Constant {
  readonly labels: string;
  readonly isNamed: boolean;
}

const constants = new WeakMap<RegisteredDestination['destination'], Constant>();
const targetLabelsOf = new WeakMap<TargetAddress, string>();

function constantOf({ destination }: RegisteredDestination): Constant {
  const known = constants.get(destination);
  if (known !== undefined) return known;
  const { name, labels } = destination;
  const text = labelText({ destination: name, ...labels }, '{');
  const constant = { labels: text, isNamed: hasName(destination) };
  constants.set(destination, constant);
  return constant;
}

function targetLabels({ destination }: RegisteredDestination, target: TargetAddress): string {
  const known = targetLabelsOf.get(target);
  if (known !== undefined) return known;
  const { transport, address } = target;
  const all = { destination: destination.name, transport, address, ...destination.labels };
  const text = labelText(all, '{');
  targetLabelsOf.set(target, text);
  return text;
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
