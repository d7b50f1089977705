/** Adds routes by their methods, and answers 405 to the other methods. */

import type { RequestHandler, Router } from 'express';
import { sendError } from './send-error.js';

/** Handlers by their paths. */
export type Routes = Readonly<Record<string, RequestHandler>>;

export interface RoutesByMethod {
  readonly get: Routes;
  readonly post: Routes;
  readonly delete: Routes;
}

/** @param sameSite runs before the handlers of methods that change something. */
export function addRoutes(router: Router, routes: RoutesByMethod, sameSite: RequestHandler): void {
  for (const path of new Set(Object.values(routes).flatMap((of: Routes) => Object.keys(of)))) {
    const { get, post, delete: remove } = routes;
    const route = router.route(path);
    if (get[path] !== undefined) route.get(get[path]);
    if (post[path] !== undefined) route.post(sameSite, post[path]);
    if (remove[path] !== undefined) route.delete(sameSite, remove[path]);
    const allowed = [
      ...(get[path] === undefined ? [] : ['GET', 'HEAD']),
      ...(post[path] === undefined ? [] : ['POST']),
      ...(remove[path] === undefined ? [] : ['DELETE']),
    ];
    route.all(notAllowed(allowed));
  }
}

/** An allowed method arrives here only if its handler found nothing. */
function notAllowed(allowed: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (allowed.includes(request.method)) return next();
    response.setHeader('Allow', allowed.join(', '));
    sendError(request, response, 405, `Method not allowed; use ${allowed.join(', ')}`);
  };
}
