/** Labels that our own metrics have: those of users are others. */
export const OUR_LABELS = [
  ...(['destination', 'transport', 'address', 'reason', 'code', 'le', 'quantile'] as const),
  ...(['uri', 'module', 'owners', 'server', 'priority', 'weight', 'phase', 'version'] as const),
  ...(['cipher', 'subject', 'issuer', 'serialnumber', 'fingerprint_sha256'] as const),
] as const;
export type OurLabel = (typeof OUR_LABELS)[number];
