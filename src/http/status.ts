/** `GET /`: what there is. */

import type { RequestHandler } from 'express';
import type { Exporter } from './exporter.js';

const LINKS: readonly (readonly [path: string, what: string])[] = [
  ['/metrics', 'metrics for Prometheus'],
  ['/api/v1/destinations', 'every destination, as JSON'],
  ['/alive?destination=', 'is_alive of a destination: 1 up, 2 down, -1 error'],
  ['/config', 'the configuration in force'],
  ['/-/healthy', 'the process runs'],
  ['/-/ready', 'the pinger runs'],
];

export function statusHandler(exporter: Exporter): RequestHandler {
  return (_request, response) => {
    const items = LINKS.map(([path, what]) => `<li><a href="${path}">${path}</a> ${what}</li>`);
    response.setHeader('Content-Security-Policy', "default-src 'none'");
    response.type('text/html').send(`<!doctype html>
<html lang="en">
<title>SIP keepalive exporter</title>
<h1>SIP keepalive exporter</h1>
<p>Version ${exporter.version}, ${exporter.roster.all().length} destinations.</p>
<ul>
${items.join('\n')}
</ul>
</html>
`);
  };
}
