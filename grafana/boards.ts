/** The dashboards and their files. */

import { type Dashboard, DashboardLinkPlacement } from '@grafana/grafana-foundation-sdk/dashboard';
import { destination } from './destination.js';
import { exporter } from './exporter.js';
import { fleet } from './fleet.js';

/** Relative to the root of the repository. */
export const FOLDER = 'grafana/dashboards';

export const boards = (): Dashboard[] => [fleet(), destination(), exporter()];

export const fileOf = (board: Dashboard): string => `${FOLDER}/${board.uid}.json`;

/** For grafana.com; not part of the repository. */
export const sharedFileOf = (board: Dashboard): string => `dist/grafana.com/${board.uid}.json`;

export const textOf = (board: object): string => `${JSON.stringify(board, withoutMenu, 2)}\n`;

/** Removes the placement in a menu, which the SDK always sets: links and annotations stay visible. */
function withoutMenu(key: string, value: unknown): unknown {
  return key === 'placement' && value === DashboardLinkPlacement.InControlsMenu ? undefined : value;
}
