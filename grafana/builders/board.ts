/** A dashboard: its settings, and sections of panels from top to bottom. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type AnnotationQuery,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type Panel,
  RowBuilder,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { linksFrom, TITLES, UIDS } from './links.js';

export interface Section {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface BoardSpec {
  readonly name: keyof typeof UIDS;
  readonly description: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly annotations: readonly Builder<AnnotationQuery>[];
  readonly sections: readonly Section[];
}

export function board(spec: BoardSpec): Dashboard {
  const builder = new DashboardBuilder(TITLES[spec.name])
    .uid(UIDS[spec.name])
    .description(spec.description)
    .tags(['sip', 'sip-keepalive'])
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .refresh('30s')
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([...spec.variables])
    .annotations([...spec.annotations])
    .links(linksFrom(spec.name));
  for (const { title, panels } of spec.sections) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return withPanelIds(builder.build());
}

/** Assigns panel ids, which the SDK does not. */
function withPanelIds(dashboard: Dashboard): Dashboard {
  const panels = dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) ?? [];
  return { ...dashboard, panels };
}
