/** Which silences fit the alerts of rules/: matchers for new ones, and whether those of others may fit. */

import type { Destination } from '../shared/destination.js';
import type { SilenceView } from '../status/page-views.js';
import { quoteRegex } from './promql.js';

export type Matcher = SilenceView['matchers'][number];

/** What a silence is for. */
export type SilenceTarget =
  | { readonly destinations: readonly string[] }
  | { readonly label: { readonly name: string; readonly value: string } };

/** Every alert on destinations has this label, and no alert on the exporter itself has it. */
const DESTINATION = 'destination';

/** The matchers of a silence. Alerts on exporters are never matched, even with labels of a scrape configuration. */
export function matchersFor(target: SilenceTarget): readonly Matcher[] {
  const matcher = (name: string, value: string, is_regex = false): Matcher => ({
    ...{ name, value, is_regex, is_equal: true },
  });
  if ('label' in target) {
    const { name, value } = target.label;
    return [matcher(name, value), matcher(DESTINATION, '.+', true)];
  }
  const [only = '', ...others] = target.destinations;
  if (others.length === 0) return [matcher(DESTINATION, only)];
  return [matcher(DESTINATION, target.destinations.map(quoteRegex).join('|'), true)];
}

/** Labels that the rules or Prometheus set, whatever label of the user has their name. */
const SET_BY_OTHERS: readonly string[] = ['alertname', 'severity', 'job', 'instance'];

/** Why no alert has a label of destinations as it is; undefined if alerts have it. */
export function labelProblem(
  name: string,
  { keptLabels, droppedLabels }: LabelFilter,
): string | undefined {
  if (keptLabels !== undefined && !keptLabels.includes(name)) {
    return `the alerts do not have the label ${name}, because it is not in metrics.labels.keep`;
  }
  if (droppedLabels?.includes(name) === true) {
    return `the alerts do not have the label ${name}, because it is in metrics.labels.drop`;
  }
  if (SET_BY_OTHERS.includes(name)) {
    return `the alerts have another label ${name}, of Prometheus or of the rules`;
  }
  if (/^[a-zA-Z_]\w*$/.test(name)) return undefined;
  return `the alerts may have another name for the label ${name}, which only newer versions of Prometheus and Alertmanager allow`;
}

/** The settings metrics.labels.keep and metrics.labels.drop. */
export interface LabelFilter {
  readonly keptLabels: readonly string[] | undefined;
  readonly droppedLabels: readonly string[] | undefined;
}

/** The values that alerts may have, by label; a label that is not in it may have any value. */
export type AlertLabels = ReadonlyMap<string, ReadonlySet<string>>;

/** The labels of the alerts on these destinations, and of those on exporters, which have none of them. */
export function alertLabels(destinations: Iterable<Destination>): AlertLabels {
  const values = new Map([['severity', new Set(['critical', 'warning'])]]);
  const add = (name: string, value: string) => {
    const known = values.get(name) ?? new Set(['']);
    values.set(name, known.add(value));
  };
  for (const { name, labels } of destinations) {
    add(DESTINATION, name);
    for (const [label, value] of Object.entries(labels)) add(label, value);
  }
  return values;
}

/** Whether a silence with these matchers may fit an alert. A regular expression that is not a list of texts may fit anything. */
export function mayFit(matchers: readonly Matcher[], labels: AlertLabels): boolean {
  return matchers.every(({ name, value, is_regex, is_equal }) => {
    const texts = is_regex ? textsIn(value) : [value];
    if (texts === undefined) return true;
    if (name === 'alertname') {
      return !is_equal || texts.some((text) => text.startsWith('SipKeepalive'));
    }
    const possible = labels.get(name);
    if (possible === undefined) return true;
    if (is_equal) return texts.some((text) => possible.has(text));
    for (const text of possible) if (!texts.includes(text)) return true;
    return false;
  });
}

/** The texts that the regular expression matches, if it is a list of texts: `a|b\.c`. */
function textsIn(regex: string): readonly string[] | undefined {
  const pieces = regex.split('|');
  const isText = (piece: string) => /^(?:[^\\.+*?()[\]{}^$]|\\[\\.+*?()|[\]{}^$-])*$/.test(piece);
  if (!pieces.every(isText)) return undefined;
  return pieces.map((piece) => piece.replace(/\\(.)/g, '$1'));
}
