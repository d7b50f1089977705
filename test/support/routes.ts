/** The routes of an application. */

import type { Express } from 'express';

interface Layer {
  readonly route?: { readonly path: string };
  /** Of a router. */
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** Their paths as they were declared, below the prefix. */
export function routesOf(app: Express): readonly string[] {
  const { stack } = (app as unknown as { router: { stack: readonly Layer[] } }).router;
  const all = stack.flatMap((layer) => [layer, ...(layer.handle.stack ?? [])]);
  return all.flatMap(({ route }) => (route === undefined ? [] : [route.path]));
}
