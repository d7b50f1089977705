/** Reads and checks the request for a silence. */

import express, { type Request, type Response } from 'express';
import { isMapping, isOwner, kindOf, OWNER_FORMAT, show } from '../../platform/values.js';
import { nearestOf } from '../../shared/nearest.js';
import type { StatusContext } from '../../status/freshness.js';
import {
  type LabelFilter,
  labelProblem,
  matchersFor,
  type SilenceTarget,
} from '../../upstream/silence-matchers.js';
import { clientErrorStatus } from '../client-error.js';
import { RequestError } from '../request-error.js';

const MAX_BYTES = 1 << 20;
const MAX_DESTINATIONS = 1_000;
/** Characters of a matcher: Alertmanager checks it against every alert. */
const MAX_MATCHER = 65_536;
const MIN_SECONDS = 60;
const MAX_SECONDS = 90 * 86_400;
const MAX_COMMENT = 1_000;
const TARGETS = ['destination', 'destinations', 'label'] as const;
const MEMBERS = [...TARGETS, 'duration', 'comment', 'created_by'] as const;

export interface SilenceRequest {
  readonly target: SilenceTarget;
  readonly durationMs: number;
  readonly comment: string;
  readonly createdBy: string | undefined;
}

/** What a silence can be for. */
export interface SilenceRules {
  readonly registry: StatusContext['registry'];
  readonly labels: LabelFilter;
}

type Body = Readonly<Record<string, unknown>>;

/** @throws RequestError */
export async function readSilence(
  request: Request,
  response: Response,
  rules: SilenceRules,
): Promise<SilenceRequest> {
  const body = parse(await textOf(request, response));
  for (const name of Object.keys(body)) {
    if (MEMBERS.some((known) => known === name)) continue;
    const nearest = nearestOf(name, MEMBERS);
    throw new RequestError(400, `expected ${MEMBERS.join(', ')}, got ${show(name)}${nearest}`);
  }
  return {
    target: readTarget(body, rules),
    durationMs: readDuration(body['duration']) * 1000,
    comment: readComment(body['comment']),
    createdBy: readCreator(body['created_by']),
  };
}

const readText = express.text({ type: () => true, limit: MAX_BYTES });

function textOf(request: Request, response: Response): Promise<string> {
  return new Promise((resolve, reject) => {
    readText(request, response, (error: unknown) => {
      if (error === undefined) resolve(typeof request.body === 'string' ? request.body : '');
      else {
        const why = error instanceof Error ? error.message : String(error);
        const message = `expected at most ${MAX_BYTES} bytes of JSON, got: ${why}`;
        reject(new RequestError(clientErrorStatus(error) ?? 400, message));
      }
    });
  });
}

function parse(text: string): Body {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RequestError(400, 'expected a JSON object, got a text that is not JSON');
  }
  if (isMapping(body)) return body;
  throw new RequestError(400, `expected a JSON object, got ${kindOf(body)}`);
}

function readTarget(body: Body, rules: SilenceRules): SilenceTarget {
  const given = TARGETS.filter((name) => body[name] !== undefined);
  const [kind, ...others] = given;
  if (kind === undefined || others.length > 0) {
    const got = given.length === 0 ? 'none' : given.join(' and ');
    throw new RequestError(400, `expected one of ${TARGETS.join(', ')}, got ${got}`);
  }
  if (kind === 'label') return readLabel(body['label'], rules);
  const names = kind === 'destination' ? [body['destination']] : body['destinations'];
  return readDestinations(names, kind, rules);
}

function readDestinations(given: unknown, kind: string, { registry }: SilenceRules): SilenceTarget {
  const names: readonly unknown[] = Array.isArray(given) ? given : [];
  if (names.length === 0 || names.length > MAX_DESTINATIONS) {
    const got = Array.isArray(given) ? names.length : kindOf(given);
    throw new RequestError(400, `${kind}: expected 1 to ${MAX_DESTINATIONS} names, got ${got}`);
  }
  const destinations = names.map((name) => {
    if (typeof name !== 'string') {
      throw new RequestError(400, `${kind}: expected names, got ${kindOf(name)}`);
    }
    if (registry.named(name) !== undefined) return name;
    throw new RequestError(404, `no such destination: ${name.slice(0, 256)}`);
  });
  const target = { destinations: [...new Set(destinations)] };
  const length = matchersFor(target)[0]?.value.length ?? 0;
  if (length <= MAX_MATCHER) return target;
  const expected = `expected names of at most ${MAX_MATCHER} characters in total`;
  throw new RequestError(400, `${kind}: ${expected}, got ${length}; a label may cover them too`);
}

function readLabel(given: unknown, { registry, labels }: SilenceRules): SilenceTarget {
  const { name, value }: Body = isMapping(given) ? given : {};
  if (typeof name !== 'string' || name === '' || typeof value !== 'string' || value === '') {
    throw new RequestError(400, `label: expected name and value, got ${kindOf(given)}`);
  }
  const problem = labelProblem(name, labels);
  if (problem !== undefined) {
    throw new RequestError(400, `label: ${problem}; silence destinations instead`);
  }
  const has = registry.all().some(({ destination }) => destination.labels[name] === value);
  if (has) return { label: { name, value } };
  throw new RequestError(404, `no destination has ${`${name}=${value}`.slice(0, 256)}`);
}

function readDuration(given: unknown): number {
  if (typeof given === 'number' && given >= MIN_SECONDS && given <= MAX_SECONDS) return given;
  const expected = `seconds from ${MIN_SECONDS} (a minute) to ${MAX_SECONDS} (90 days)`;
  throw new RequestError(400, `duration: expected ${expected}, got ${shown(given)}`);
}

function readComment(given: unknown): string {
  const comment = typeof given === 'string' ? given.trim() : '';
  if (comment !== '' && comment.length <= MAX_COMMENT) return comment;
  const got = typeof given === 'string' ? String(comment.length) : kindOf(given);
  throw new RequestError(400, `comment: expected 1 to ${MAX_COMMENT} characters, got ${got}`);
}

function readCreator(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  if (isOwner(given)) return given;
  throw new RequestError(400, `created_by: expected ${OWNER_FORMAT}, got ${shown(given)}`);
}

const shown = (given: unknown) => (given === undefined ? 'none' : show(given));
