/** `GET /`: the status page. The files in page/ are served unchanged but for the link to the metrics. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { RequestHandler } from 'express';

const FOLDER = new URL('../../../../page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the file in the route parameter `file`, or index.html.
 *
 * @param telemetryPath of the metrics, for the link to them.
 */
export function pageHandler(telemetryPath: string): RequestHandler {
  const files = new Map(
    readdirSync(FOLDER)
      .filter((name) => extname(name) in TYPES)
      .map((name) => [name, readFileSync(new URL(name, FOLDER))]),
  );
  const index = files.get('index.html')?.toString() ?? '';
  const link = `href="${telemetryPath.slice(1).replaceAll('&', '&amp;')}"`;
  files.set('index.html', Buffer.from(index.replace('href="metrics"', () => link)));
  return (request, response, next) => {
    const { file: name = 'index.html' } = request.params;
    const body = typeof name === 'string' ? files.get(name) : undefined;
    if (body === undefined || typeof name !== 'string') return next();
    if (!response.hasHeader('Content-Security-Policy')) {
      response.setHeader('Content-Security-Policy', POLICY);
    }
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream');
    response.send(body);
  };
}
