import type { FarEnd } from './far-end.js';
import type { Stage } from './stage.js';

/** What every measurement uses. */
export interface Scene {
  readonly stage: Stage;
  readonly farEnd: FarEnd;
  /** Short windows, rough figures. */
  readonly isQuick: boolean;
  /** Reports progress. */
  readonly say: (text: string) => void;
}
