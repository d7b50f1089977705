/** A real Chromium. */

import { after, type TestContext } from 'node:test';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { pathOf } from './tools.js';

export interface Opened {
  readonly page: Page;
  /** Errors of the page, and violations of its content security policy. */
  readonly complaints: readonly string[];
}

/** One for all tests of a file: starting it takes seconds. */
let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

function launch(): Promise<Browser> {
  // Chromium's own sandbox does not work for root.
  return chromium.launch({ executablePath: pathOf('chromium'), args: ['--no-sandbox'] });
}

/** Opens a page, which shares nothing with those of other calls. */
export async function openPage(
  t: Pick<TestContext, 'after'>,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  browser ??= launch();
  const context = await (await browser).newContext({
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  t.after(() => context.close());
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
