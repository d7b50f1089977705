/** `POST /rpc`: Kamailio's RPC commands `keepalive.*`, as JSON-RPC 2.0. */

import { setImmediate as nextRound } from 'node:timers/promises';
import express, { type RequestHandler } from 'express';
import { isOwner, OWNER_FORMAT, show } from '../../platform/values.js';
import {
  type DestinationEntry,
  RuntimeDestinationError,
} from '../../registry/runtime-destination.js';
import type { RegisteredDestination } from '../../shared/destination.js';
import { UriError } from '../../shared/uri.js';
import { destinationView } from '../../status/describe.js';
import { bestOf, find } from '../../status/find.js';
import type { StatusContext } from '../../status/freshness.js';
import { clientErrorStatus } from '../client-error.js';
import {
  answer,
  errorResponse,
  INVALID_PARAMS,
  INVALID_REQUEST,
  type Method,
  type Methods,
  type Params,
  RpcError,
} from './json-rpc.js';
import { listItems, type RpcItem } from './rpc-item.js';

/** The error code of Kamailio for every error. */
const ERROR = -1;
/** Maximum length of a request. */
const MAX_BYTES = 1 << 20;
/** Maximum number of destinations in one response. If more have the same URI, a name is required. */
const MAX_SAME_URI = 100;
const ADD_PARAMS = ['uri', 'owner', 'ping_interval', 'module', 'name', 'labels'] as const;

/**
 * Adds and removes destinations at run time. Each method resolves when the change is on disk, and rejects
 * with a RuntimeDestinationError.
 */
export interface RuntimeDestinationStore {
  /** Resolves with 1 when the destination was added, with -2 when the owner already has it. */
  add(owner: string, entry: DestinationEntry): Promise<1 | -2>;
  /** Resolves with the number of removed destinations. */
  remove(owner: string, names: readonly string[]): Promise<number>;
  /** Removes all destinations, or all of the owner. Resolves with their number. */
  flush(owner?: string): Promise<number>;
}

export interface RpcHandlerOptions {
  readonly status: StatusContext;
  readonly runtimeDestinations: RuntimeDestinationStore;
  /** Whether destinations may be added and removed. */
  readonly isAdminEnabled: () => boolean;
  /** Called with internal errors. */
  readonly onError: (error: unknown) => void;
}

export function rpcHandler(options: RpcHandlerOptions): RequestHandler {
  const readBody = express.text({ type: () => true, limit: MAX_BYTES });
  const methods = { ...readMethods(options.status), ...adminMethods(options) };
  return (request, response, next) => {
    readBody(request, response, (error: unknown) => {
      if (error !== undefined) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `expected at most ${MAX_BYTES} bytes of JSON, got: ${reason}`;
        const status = clientErrorStatus(error) ?? 400;
        response.status(status).json(errorResponse(null, INVALID_REQUEST, message));
        return;
      }
      const text = typeof request.body === 'string' ? request.body : '';
      answer(text, methods, options.onError)
        .then((answered) => {
          if (response.destroyed) return;
          if (answered === undefined) response.status(204).end();
          else response.json(answered);
        })
        .catch(next);
    });
  };
}

function readMethods(status: StatusContext): Methods {
  return {
    'keepalive.list': {
      params: ['owner'],
      required: 0,
      isLarge: true,
      call: ({ owner }) => listItems(status, status.registry.all(), optionalText(owner, 'owner')),
    },
    'keepalive.get': {
      params: ['uri', 'owner'],
      required: 1,
      call: ({ uri, owner }) => get(status, uri, optionalText(owner, 'owner')),
    },
    'keepalive.is_alive': {
      params: ['destination'],
      required: 1,
      call: ({ destination }) => isAlive(status, destination),
    },
  };
}

function adminMethods({ status, runtimeDestinations, isAdminEnabled }: RpcHandlerOptions): Methods {
  const admin = (method: Method): Method => ({
    ...method,
    call: async (params) => {
      if (isAdminEnabled()) return method.call(params);
      throw new RpcError(ERROR, 'not allowed; start the exporter with --web.enable-admin-api');
    },
  });
  return {
    'keepalive.add': admin({
      params: ADD_PARAMS,
      required: 2,
      call: ({ owner, ...entry }) => add(runtimeDestinations, ownerFrom(owner), entry),
    }),
    'keepalive.del': admin({
      params: ['uri', 'owner'],
      required: 2,
      call: ({ uri, owner }) =>
        remove(status, runtimeDestinations, textFrom(uri, 'uri'), textFrom(owner, 'owner')),
    }),
    'keepalive.flush': admin({
      params: ['owner'],
      required: 0,
      call: ({ owner }) => asRpc(runtimeDestinations.flush(optionalText(owner, 'owner'))),
    }),
  };
}

async function get(
  status: StatusContext,
  uri: unknown,
  owner: string | undefined,
): Promise<RpcItem | readonly RpcItem[]> {
  const [first, ...others] = await listItems(status, findSome(status, uri), owner);
  if (first === undefined) throw new RpcError(ERROR, `${owner} has no destination ${uri}`);
  return others.length === 0 ? first : [first, ...others];
}

/** 1 up, 2 down. @throws RpcError while the state is unknown, as in Kamailio. */
async function isAlive(status: StatusContext, nameOrUri: unknown): Promise<1 | 2> {
  await nextRound();
  const views = findSome(status, nameOrUri).map((one) => destinationView(status, one));
  const code = bestOf(views)?.code ?? -1;
  if (code === -1) throw new RpcError(ERROR, 'the state is unknown');
  return code;
}

function add(store: RuntimeDestinationStore, owner: string, entry: Params): Promise<1 | -2> {
  const present = Object.entries(entry).filter(([, value]) => value !== undefined);
  return asRpc(store.add(owner, Object.fromEntries(present)));
}

/** Removes a destination. Returns 1, as in Kamailio. */
async function remove(
  status: StatusContext,
  store: RuntimeDestinationStore,
  uri: string,
  owner: string,
): Promise<1> {
  // A stored destination that is not monitored, because its module was removed, is found only by its name.
  if ((await asRpc(store.remove(owner, [uri]))) > 0) return 1;
  const all = findAll(status, uri);
  const names = all.map(({ destination }) => destination.name);
  if ((await asRpc(store.remove(owner, names))) > 0) return 1;
  const isConfigured = all.some(({ owners }) => owners.includes(owner));
  const message = isConfigured
    ? `${uri} of ${owner} is from the configuration; remove it there`
    : `${owner} has no destination ${uri}`;
  throw new RpcError(ERROR, message);
}

/** Like {@link findAll}. @throws RpcError also when there are too many for one response. */
function findSome(status: StatusContext, nameOrUri: unknown): readonly RegisteredDestination[] {
  const all = findAll(status, nameOrUri);
  if (all.length <= MAX_SAME_URI) return all;
  throw new RpcError(ERROR, `expected a name, got a URI of ${all.length} destinations`);
}

/** Finds destinations by name, or else by URI. @throws RpcError when there are none. */
function findAll(status: StatusContext, nameOrUri: unknown): readonly RegisteredDestination[] {
  try {
    const all = find(status, textFrom(nameOrUri, 'uri'));
    if (all.length > 0) return all;
  } catch (error) {
    throw error instanceof UriError ? new RpcError(ERROR, error.message) : error;
  }
  throw new RpcError(ERROR, `no such destination: ${String(nameOrUri)}`);
}

/** Converts a RuntimeDestinationError to an error with Kamailio's code. */
async function asRpc<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw error instanceof RuntimeDestinationError ? new RpcError(ERROR, error.message) : error;
  }
}

function textFrom(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[^\p{C}]{1,1024}$/u.test(value)) return value;
  throw new RpcError(
    INVALID_PARAMS,
    `params.${name}: expected a string of 1 to 1024 printable characters, got ${show(value)}`,
  );
}

function ownerFrom(value: unknown): string {
  if (isOwner(value)) return value;
  throw new RpcError(INVALID_PARAMS, `params.owner: expected ${OWNER_FORMAT}, got ${show(value)}`);
}

function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : textFrom(value, name);
}
