/** The links of `web.links`: to Grafana, Prometheus, the runbook. */

/**
 * @param {Readonly<Record<string, string>>} templates with `{destination}` and `{uri}`, by title
 * @param {{ readonly destination: string, readonly uri: string }} destination
 * @returns {readonly (readonly [string, string])[]} titles and URLs
 */
export function linksOf(templates, { destination, uri }) {
  const values = { destination, uri };
  return Object.entries(templates).map(([title, template]) => [
    title,
    template.replace(/\{(destination|uri)\}/g, (_, /** @type {'destination' | 'uri'} */ name) =>
      encodeURIComponent(values[name]),
    ),
  ]);
}
