/** Handlers that answer with JSON, also when the request cannot be answered. */

import type { Request, RequestHandler, Response } from 'express';
import { UpstreamError } from '../upstream/upstream-error.js';
import { RequestError } from './request-error.js';

/**
 * Answers with the result of `work`, or with 204 if it is undefined.
 *
 * @param work throws RequestError or UpstreamError; `{"error": …}` has the message.
 */
export function jsonHandler(
  work: (request: Request, response: Response) => Promise<object | undefined>,
): RequestHandler {
  return async (request, response) => {
    try {
      const result = await work(request, response);
      if (response.destroyed) return;
      if (result === undefined) response.status(204).end();
      else response.json(result);
    } catch (error) {
      const isExpected = error instanceof RequestError || error instanceof UpstreamError;
      if (!isExpected) throw error;
      if (!response.destroyed) response.status(error.status).json({ error: error.message });
    }
  };
}
