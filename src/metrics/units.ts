/** The units that names of metrics end in. */

const UNIT = /_(seconds|bytes|ratio)$/;

/** The unit of a family; empty when its name does not end in one. */
export function unitOf(name: string): string {
  return UNIT.exec(name.replace(/_total$/, ''))?.[1] ?? '';
}
