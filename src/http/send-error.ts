import type { Request, Response } from 'express';

/** Answers with an error: as `{"error": …}` below `/api/v1/`, elsewhere as a line of text. */
export function sendError(
  request: Request,
  response: Response,
  status: number,
  message: string,
): void {
  response.status(status);
  if (request.path.includes('/api/v1/')) response.json({ error: message });
  else response.type('text/plain').send(`${message}\n`);
}
