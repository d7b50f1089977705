const DAY_MS = 86_400_000;

/** The last day that was asked for, and its date as ISO 8601, with the `T`. */
let lastDay = Number.NaN;
let lastDate = '';

/**
 * ISO 8601 of a wall-clock time in milliseconds; null for never: 0, undefined or infinite. `toISOString`
 * takes eight times as long.
 */
export function isoTime(ms: number | undefined): string | null {
  if (ms === undefined || ms === 0 || !Number.isFinite(ms)) return null;
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -'00:00:00.000Z'.length);
    lastDay = day;
  }
  const ofDay = Math.floor(ms - day * DAY_MS);
  const seconds = Math.floor(ofDay / 1000);
  const minutes = Math.floor(seconds / 60);
  const time = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`;
  return `${lastDate}${time}.${String(ofDay % 1000).padStart(3, '0')}Z`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
