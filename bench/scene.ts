import type { FarEnd } from './far-end.js';
import type { Stage } from './stage.js';

/** What every measurement needs. */
export interface Scene {
  readonly stage: Stage;
  readonly farEnd: FarEnd;
  /** Windows are short and the figures rough. */
  readonly isQuick: boolean;
  /** Says what is going on. */
  readonly say: (text: string) => void;
}
