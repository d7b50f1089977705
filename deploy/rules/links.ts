/** The links of the alerts: to the runbook, and to the destination's page on its exporter. */

export interface Links {
  /** The URL of the runbook; the name of the alert follows it as a fragment. */
  readonly runbookBase: string;
  /** The URL of the exporter, or a template of Prometheus for it. */
  readonly exporterUrl: string;
}

/** The links that the files in `rules/` have. */
export const DEFAULT_LINKS: Links = {
  runbookBase: 'https://github.com/OWNER/sip-keepalive-exporter/blob/main/docs/runbook.md',
  exporterUrl: 'http://{{ $labels.instance }}',
};

/** The text of a file of `rules/` with other links. */
export function withLinks(text: string, { runbookBase, exporterUrl }: Links): string {
  return text
    .replaceAll(DEFAULT_LINKS.runbookBase, () => runbookBase)
    .replaceAll(DEFAULT_LINKS.exporterUrl, () => exporterUrl);
}

/**
 * A URL without slashes at its end. The pages of the exporter follow it, or a fragment.
 *
 * @throws for anything but an absolute URL; `{{ … }}` may stand for a part of it.
 */
export function readUrl(option: string, given: string): string {
  const url = given.trim().replace(/\/+$/, '');
  const filled = url.replace(/\{\{[^{}\n]*\}\}/g, 'x');
  const wanted = /^https?:\/\/[^\s#?{}]+$/i.test(filled) && URL.canParse(filled);
  if (wanted) return url;
  const shape = 'an absolute URL (http or https) without "?" and "#"; a template is {{ … }}';
  throw new Error(`--${option}: expected ${shape}, got ${JSON.stringify(given)}`);
}
