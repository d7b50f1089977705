import { DebugLog } from '../../src/pinger/debug/debug-log.js';
import { TargetGuard } from '../../src/pinger/targets/target-guard.js';
import { Faults } from '../../src/shared/faults.js';

/** For tests that expect no internal errors: one fails the current test. */
export function noFaults(): Faults {
  const log = ({ fields }: { readonly fields: Readonly<Record<string, unknown>> }) =>
    queueMicrotask(() => {
      throw new Error(`internal error in ${fields['place']}: ${fields['error']}`);
    });
  return new Faults({ now: () => 0, log });
}

/** A guard for targets that must not have internal errors. */
export function noGuard(): TargetGuard {
  return new TargetGuard(noFaults(), () => undefined);
}

/** A debug log that is off. */
export function noDebug(): DebugLog {
  return new DebugLog({ now: () => 0, afterReads: () => {}, post: () => {} });
}
