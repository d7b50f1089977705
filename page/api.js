/** Requests to the exporter. An error has a text that can be shown. */

/** Longest query; the exporter accepts 16 KB of URL and headers together. */
const MAX_QUERY = 8_000;

/** Longest text of an answer that is shown. */
const MAX_REASON = 300;

/** An answer of the exporter that is no success. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status of HTTP
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<unknown>} the JSON of the answer; null if it has no content
 * @throws ApiError for an answer that is no success; TypeError if the exporter cannot be reached
 */
export async function fetchJson(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { Accept: 'application/json', ...options.headers },
  });
  const text = await response.text();
  const content = parse(text);
  if (!response.ok)
    throw new ApiError(errorIn(content) ?? failure(response, text), response.status);
  if (content === undefined && text !== '') throw new ApiError('expected JSON', response.status);
  return content ?? null;
}

/**
 * @param {string} path
 * @param {object} body
 */
export function postJson(path, body) {
  return fetchJson(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** @param {readonly string[]} names @returns `destination=A&destination=B` */
export function destinationQuery(names) {
  return names.map((name) => `destination=${encodeURIComponent(name)}`).join('&');
}

/**
 * Names in batches of up to `max`, and of what fits into a URL: a name may have a thousand characters, each
 * of them up to nine in a URL.
 *
 * @param {readonly string[]} names
 * @param {number} max
 */
export function* batches(names, max) {
  /** @type {string[]} */ let batch = [];
  for (const name of names) {
    const isFull = batch.length === max || destinationQuery([...batch, name]).length > MAX_QUERY;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
    }
    batch.push(name);
  }
  if (batch.length > 0) yield batch;
}

/** @param {string} text */
function parse(text) {
  try {
    return /** @type {unknown} */ (JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** @param {unknown} content */
function errorIn(content) {
  if (typeof content !== 'object' || content === null || !('error' in content)) return undefined;
  return typeof content.error === 'string' ? content.error : undefined;
}

/**
 * @param {Response} response
 * @param {string} text its body, which says why if it is plain text
 */
function failure({ status, statusText, headers }, text) {
  const isPlain = headers.get('content-type')?.startsWith('text/plain') === true;
  const why = isPlain ? text.trim().slice(0, MAX_REASON) : '';
  const answer = `the exporter answered ${status} ${statusText}`.trim();
  return why === '' ? answer : `${answer}: ${why}`;
}

/** @param {unknown} error */
export function errorText(error) {
  if (error instanceof ApiError) return error.message;
  return error instanceof TypeError ? 'the exporter cannot be reached' : String(error);
}
