import type { Explanation } from '../../shared/resolution.js';
import { addressLabel } from '../targets/candidates.js';
import type { MonitoredDestination } from './destination.js';

/**
 * Details of a destination that the ledger does not hold: how its name resolved, and the last messages
 * of each target.
 *
 * @param nowMs monotonic.
 */
export function explanationOf(
  { targets, resolvedAtMs, errors }: MonitoredDestination,
  nowMs: number,
): Explanation {
  return {
    exchanges: new Map(
      targets.map(({ target, recorder }) => [target.slot.index, recorder.exchange]),
    ),
    resolution: {
      targets: targets.map(({ location }) => ({
        transport: location.transport,
        address: addressLabel(location),
        steps: location.steps.map(({ untilMs, ...step }) => ({ ...step, leftMs: untilMs - nowMs })),
      })),
      ageMs: resolvedAtMs === undefined ? undefined : nowMs - resolvedAtMs,
      errors,
    },
  };
}
