import type { Remark, RemarkKind } from './found.js';

/** Names and strings of any length may be quoted in a reason. */
const MAX_REASON_LENGTH = 500;

/** A remark about a place in a file, with a reason that is short enough for a line of the log. */
export function remark(kind: RemarkKind, place: string, reason: string): Remark {
  if (reason.length <= MAX_REASON_LENGTH) return { kind, place, reason };
  return { kind, place, reason: `${reason.slice(0, MAX_REASON_LENGTH)}...` };
}

/** Adds a remark about the entry that is being read. */
export type Report = (kind: RemarkKind, reason: string) => void;

/** Reports about one place. */
export function reporter(remarks: Remark[], place: string): Report {
  return (kind, reason) => void remarks.push(remark(kind, place, reason));
}
