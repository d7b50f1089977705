import type { Explanation } from '../../shared/resolution.js';
import { addressLabel } from '../targets/candidates.js';
import type { Clock } from '../time/clock.js';
import type { MonitoredDestination } from './destination.js';

/**
 * Details of a destination that the ledger does not hold: how its name resolved, and the last ping of
 * each target.
 */
export function explanationOf(
  { targets, resolvedAtMs, errors }: MonitoredDestination,
  clock: Clock,
): Explanation {
  const nowMs = clock.now();
  return {
    exchanges: new Map(
      targets.map(({ target, recorder }) => [target.slot.index, recorder.exchange(clock)]),
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
