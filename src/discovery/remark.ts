import type { Remark, RemarkKind } from './found.js';

/** A reason may quote names and strings of any length. */
const MAX_REASON_LENGTH = 500;

/** Creates a remark, with the reason shortened to fit a log line. */
export function remark(kind: RemarkKind, place: string, reason: string): Remark {
  if (reason.length <= MAX_REASON_LENGTH) return { kind, place, reason };
  return { kind, place, reason: `${reason.slice(0, MAX_REASON_LENGTH)}...` };
}

/** Adds a remark about the current entry. */
export type Report = (kind: RemarkKind, reason: string) => void;

/** Returns a function that adds remarks about one place. */
export function reporter(remarks: Remark[], place: string): Report {
  return (kind, reason) => {
    remarks.push(remark(kind, place, reason));
  };
}
