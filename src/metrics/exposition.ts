/**
 * Renders `/metrics` in pieces: ten thousand destinations are tens of megabytes, and other requests must
 * not wait for them.
 */

import type { Destination, RegisteredDestination, TargetSlot } from '../shared/destination.js';
import type { TargetRow } from '../shared/ledger/rows.js';
import { hasName } from '../shared/uri.js';
import { effectiveState, lastSeenMs, type StatusContext } from '../status/freshness.js';
import {
  CONNECTION_FAMILIES,
  type ConnectionSample,
  connectionSample,
} from './connection-families.js';
import {
  DESTINATION_FAMILIES,
  type DestinationSample,
  type Family,
  PINGER_FAMILIES,
  TARGET_FAMILIES,
  type TargetSample,
} from './families.js';
import type { Format } from './format.js';
import { type BeliefSample, beliefRows, KAMAILIO_FAMILIES } from './kamailio-families.js';
import type { Labelled, Renderer } from './renderer.js';
import { RESOLUTION_FAMILIES } from './resolution-families.js';
import type { RowLabels } from './row-labels.js';
import { EVERYTHING, type Selection, selected } from './selection.js';

/** Number of ledger rows that are copied before other work may run. */
const BATCH = 500;

export interface ExpositionOptions {
  readonly status: StatusContext;
  readonly format: Format;
  readonly rowLabels: RowLabels;
  /** Everything, by default. */
  readonly selection?: Selection;
  readonly hasExemplars: boolean;
}

/** The groups whose families are read from the rows of destinations and targets. */
const ROW_GROUPS = ['destinations', 'names', 'targets', 'connections'] as const;

/** Yields the exposition piece by piece; an empty piece is an occasion to give way to other work. */
export async function* exposition<Piece>(
  options: ExpositionOptions,
  renderer: Renderer<Piece>,
): AsyncGenerator<Piece, void, undefined> {
  const { status, hasExemplars, selection = EVERYTHING } = options;
  const pinger = status.ledger.pinger();
  yield await renderer.exporter(pinger.createdMs);
  const destinations: Labelled<DestinationSample>[] = [];
  const targets: Labelled<TargetSample>[] = [];
  const exemplars = hasExemplars
    ? (target: TargetSlot) => status.ledger.exemplars(target)
    : undefined;
  const connections: Labelled<ConnectionSample>[] = [];
  const named: Labelled<DestinationSample>[] = [];
  let rows = 0;
  const needsRows = ROW_GROUPS.some((group) => selection.groups.has(group));
  for (const registered of needsRows ? status.registry.all() : []) {
    rows += readRows(options, registered, { destinations, targets, connections, named, exemplars });
    if (rows < BATCH) continue;
    rows = 0;
    yield renderer.pause;
  }
  const beliefs: Labelled<BeliefSample>[] = [];
  const needsBeliefs = selection.groups.has('kamailio');
  for (const row of needsBeliefs ? beliefRows(status, options.format, BATCH) : []) {
    if (row === undefined) yield renderer.pause;
    else beliefs.push(row);
  }
  yield* group(renderer, selected(selection, 'pinger', PINGER_FAMILIES), [
    { labels: '', createdMs: pinger.createdMs, row: pinger },
  ]);
  yield* group(renderer, selected(selection, 'destinations', DESTINATION_FAMILIES), destinations);
  yield* group(renderer, selected(selection, 'names', RESOLUTION_FAMILIES), named);
  yield* group(renderer, selected(selection, 'targets', TARGET_FAMILIES), targets);
  yield* group(renderer, selected(selection, 'connections', CONNECTION_FAMILIES), connections);
  yield* group(renderer, selected(selection, 'kamailio', KAMAILIO_FAMILIES), beliefs);
  yield renderer.end;
}

function* group<Piece, Row>(
  renderer: Renderer<Piece>,
  families: readonly Family<Row>[],
  rows: readonly Labelled<Row>[],
): Generator<Piece, void, undefined> {
  for (const family of families) yield* renderer.family(family, rows);
}

interface Samples {
  readonly destinations: Labelled<DestinationSample>[];
  readonly targets: Labelled<TargetSample>[];
  /** Of the targets over TCP, TLS, WS and WSS. */
  readonly connections: Labelled<ConnectionSample>[];
  /** Of the destinations with a name to resolve. */
  readonly named: Labelled<DestinationSample>[];
  readonly exemplars: TargetSample['exemplars'];
}

/** Reads each row once, so that the families of a target are consistent. Returns the number of rows. */
function readRows(
  { status, rowLabels, format }: ExpositionOptions,
  registered: RegisteredDestination,
  { destinations, targets, connections, named, exemplars }: Samples,
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
    const labels = rowLabels.target(registered, target, format);
    if (state === 'up') targetsUp++;
    const { createdMs } = targetRow;
    // Not a spread: V8 makes objects of a literal several times as fast.
    targets.push({
      labels,
      createdMs,
      row: { target, transport, hasCredentials, isFirstOnly, state, row: targetRow, exemplars },
    });
    if (transport === 'udp') continue;
    connections.push({
      labels,
      createdMs,
      row: connectionSample(registered, target, ledger.connection(slot)),
    });
  }
  const lastSeen = lastSeenMs(row, targetRows);
  const state = effectiveState(status, registered, row.state, lastSeen);
  const labels = rowLabels.destination(registered, format);
  const { createdMs } = row;
  const sample = { labels, createdMs, row: { registered, state, targetsUp, row } };
  destinations.push(sample);
  if (isNamed(registered.destination)) named.push(sample);
  return 1 + registered.targets.length;
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
