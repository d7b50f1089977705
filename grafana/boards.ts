/** The boards, and the files that they are in. */

import { type Dashboard, DashboardLinkPlacement } from '@grafana/grafana-foundation-sdk/dashboard';
import { destination } from './destination.js';
import { exporter } from './exporter.js';
import { fleet } from './fleet.js';

/** From the root of the repository. */
export const FOLDER = 'grafana/dashboards';

export const boards = (): Dashboard[] => [fleet(), destination(), exporter()];

export const fileOf = (board: Dashboard): string => `${FOLDER}/${board.uid}.json`;

export const textOf = (board: Dashboard): string => `${JSON.stringify(board, inSight, 2)}\n`;

/** The SDK hides every link and annotation in a menu, and has no word for leaving them in sight. */
function inSight(key: string, value: unknown): unknown {
  return key === 'placement' && value === DashboardLinkPlacement.InControlsMenu ? undefined : value;
}
