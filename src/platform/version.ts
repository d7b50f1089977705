import { readFileSync } from 'node:fs';
import { isMapping } from './values.js';

const NAME = 'sip-keepalive-exporter';

/** The version in package.json; `unknown` when a program that is bundled has another one there, or none. */
export function readVersion(): string {
  const content = readPackage();
  return content?.['name'] === NAME ? String(content['version']) : 'unknown';
}

function readPackage(): Record<string, unknown> | undefined {
  try {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    const content: unknown = JSON.parse(text);
    return isMapping(content) ? content : undefined;
  } catch {
    return undefined;
  }
}
