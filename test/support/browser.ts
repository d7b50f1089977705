/** A real Chromium. */

import type { TestContext } from 'node:test';
import axe from 'axe-core';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { pathOf } from './tools.js';

export interface Opened {
  readonly page: Page;
  /** Errors of the page, and violations of its content security policy. */
  readonly complaints: readonly string[];
}

export async function openPage(
  t: Pick<TestContext, 'after'>,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  // Chromium's own sandbox does not work for root.
  const browser = await chromium.launch({
    executablePath: pathOf('chromium'),
    args: ['--no-sandbox'],
  });
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** The accessibility violations in the page, by axe-core. */
export async function violations(page: Page): Promise<readonly string[]> {
  // Through DevTools, because the content security policy of the page forbids other scripts.
  const client = await page.context().newCDPSession(page);
  await client.send('Runtime.evaluate', { expression: axe.source });
  const found: unknown = await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((n) => n.html).join(' | ')))",
  );
  return found as readonly string[];
}
