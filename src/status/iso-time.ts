/** ISO 8601 of a wall-clock time in milliseconds; null for never: 0, undefined or infinite. */
export function isoTime(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 || !Number.isFinite(ms) ? null : new Date(ms).toISOString();
}
