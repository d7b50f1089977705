/** `GET /`: the status page. The files in page/ are served unchanged but for the links in index.html. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { acceptsGzip } from '../server/compression.js';

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
 * Serves the file whose path is in the route parameter `path`, or index.html.
 *
 * @param telemetryPath of the metrics, for the link to them.
 */
export function pageHandler(telemetryPath: string): RequestHandler {
  const files = readFiles(telemetryPath);
  const zipped = new Map<string, Buffer>();
  const zip = (path: string, body: Buffer): Buffer => {
    const known = zipped.get(path) ?? gzipSync(body);
    zipped.set(path, known);
    return known;
  };
  return (request, response, next) => {
    // A path may contain slashes; Express passes its pieces as a list.
    const path = [request.params['path'] ?? 'index.html'].flat().join('/');
    const body = files.get(path);
    if (body === undefined) return next();
    if (!response.hasHeader('Content-Security-Policy')) {
      response.setHeader('Content-Security-Policy', POLICY);
    }
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
    if (!acceptsGzip(request, response)) {
      response.send(body);
      return;
    }
    response.setHeader('Content-Encoding', 'gzip');
    response.send(zip(path, body));
  };
}

/** The files by their paths: those in page/, and the package that draws the charts. */
function readFiles(telemetryPath: string): ReadonlyMap<string, Buffer> {
  const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  const files = new Map(
    paths
      .filter((path) => extname(path) in TYPES)
      .map((path) => [path, readFileSync(new URL(path, FOLDER))]),
  );
  const uplot = new URL('./', import.meta.resolve('uplot'));
  // The only small build of the package is a script, not a module: 22 KB as gzip instead of 42 KB.
  const script = readFileSync(new URL('uPlot.iife.min.js', uplot), 'utf8');
  files.set('uplot.js', Buffer.from(`${script}\nexport default uPlot;\n`));
  files.set('uplot.css', readFileSync(new URL('uPlot.min.css', uplot)));
  const index = files.get('index.html')?.toString() ?? '';
  files.set('index.html', Buffer.from(withLinks(index, telemetryPath, [...files.keys()])));
  return files;
}

/** Links the metrics, and all modules at once: a browser would find them only one after the other. */
function withLinks(index: string, telemetryPath: string, paths: readonly string[]): string {
  const metrics = `href="${telemetryPath.slice(1).replaceAll('&', '&amp;')}"`;
  const modules = paths
    .filter((path) => extname(path) === '.js')
    .map((path) => `<link rel="modulepreload" href="page/${path}">\n`);
  return index
    .replace('href="metrics"', () => metrics)
    .replace('<script', () => `${modules.join('')}<script`);
}
