/** `GET /`: what there is. */

import type { RequestHandler } from 'express';
import type { Exporter } from './exporter.js';
import type { ProbeHistory } from './probe-history.js';

const LINKS: readonly (readonly [path: string, what: string])[] = [
  ['/metrics', 'metrics for Prometheus'],
  ['/api/v1/destinations', 'every destination, as JSON'],
  ['/alive?destination=', 'is_alive of a destination: 1 up, 2 down, -1 error'],
  ['/probe?target=', 'one ping of any destination; add &amp;debug=true to see its messages'],
  ['/config', 'the configuration in force'],
  ['/-/healthy', 'the process runs'],
  ['/-/ready', 'the pinger runs'],
];

export function statusHandler(exporter: Exporter, history: ProbeHistory): RequestHandler {
  return (_request, response) => {
    const items = LINKS.map(([path, what]) => `<li><a href="${path}">${path}</a> ${what}</li>`);
    const probes = history.all().map(({ id, target, module, report }) => {
      const came = report.isAlive ? 'alive' : (report.reason ?? 'not alive');
      const row = [target, module, came].map((text) => `<td>${escaped(text)}</td>`).join('');
      return `<tr>${row}<td><a href="/logs?id=${id}">log</a></td></tr>`;
    });
    response.setHeader('Content-Security-Policy', "default-src 'none'");
    response.type('text/html').send(`<!doctype html>
<html lang="en">
<title>SIP keepalive exporter</title>
<h1>SIP keepalive exporter</h1>
<p>Version ${exporter.version}, ${exporter.roster.all().length} destinations.</p>
<ul>
${items.join('\n')}
</ul>
<h2>Recent probes</h2>
${probes.length === 0 ? '<p>None yet.</p>' : `<table>\n${probes.join('\n')}\n</table>`}
</html>
`);
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
