/** `POST /rpc`: Kamailio's RPC commands `keepalive.*`, as JSON-RPC 2.0. */

import { setImmediate as nextRound } from 'node:timers/promises';
import express, { type RequestHandler } from 'express';
import { isOwner, OWNER_WANTED, show } from '../../platform/values.js';
import { RuntimeDestinationError } from '../../registry/runtime-destination.js';
import type { RegisteredDestination } from '../../shared/destination.js';
import { STATES } from '../../shared/state.js';
import { UriError } from '../../shared/uri.js';
import { type DestinationView, destinationView } from '../../status/describe.js';
import { bestOf, find } from '../../status/find.js';
import { clientErrorStatus } from '../client-fault.js';
import type { Exporter } from '../exporter.js';
import {
  answer,
  failure,
  INVALID_PARAMS,
  INVALID_REQUEST,
  type Method,
  type Methods,
  type Params,
  RpcError,
} from './json-rpc.js';

/** What Kamailio answers when something is wrong. */
const ERROR = -1;
/** Of a request, in bytes. */
const MAX_BYTES = 1 << 20;
/** Destinations with one URI that are told of at once; of more, each goes by its name. */
const MAX_SHARING = 100;
/** Destinations that are described at a stretch. */
const BATCH = 200;
const ADD_PARAMS = ['uri', 'owner', 'ping_interval', 'module', 'name', 'labels'] as const;

export function rpcHandler(exporter: Exporter, onError: (error: unknown) => void): RequestHandler {
  const readBody = express.text({ type: () => true, limit: MAX_BYTES });
  const methods = methodsOf(exporter);
  return (request, response, next) => {
    readBody(request, response, (error: unknown) => {
      if (error !== undefined) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `expected at most ${MAX_BYTES} bytes of JSON, got: ${why}`;
        response
          .status(clientErrorStatus(error) ?? 400)
          .json(failure(null, INVALID_REQUEST, message));
        return;
      }
      const text = typeof request.body === 'string' ? request.body : '';
      answer(text, methods, onError)
        .then((answered) => {
          if (response.destroyed) return;
          if (answered === undefined) response.status(204).end();
          else response.json(answered);
        })
        .catch(next);
    });
  };
}

function methodsOf(exporter: Exporter): Methods {
  return {
    'keepalive.list': {
      params: ['owner'],
      required: 0,
      isLarge: true,
      call: ({ owner }) => list(exporter, exporter.registry.all(), optionalText(owner, 'owner')),
    },
    'keepalive.get': {
      params: ['uri', 'owner'],
      required: 1,
      call: async ({ uri, owner }) => {
        const wanted = optionalText(owner, 'owner');
        const all = found(exporter, uri);
        if (all.length > MAX_SHARING) throw new RpcError(ERROR, tooMany(all.length));
        const [first, ...others] = await list(exporter, all, wanted);
        if (first === undefined) throw new RpcError(ERROR, `${wanted} does not watch ${uri}`);
        return others.length === 0 ? first : [first, ...others];
      },
    },
    'keepalive.is_alive': {
      params: ['destination'],
      required: 1,
      call: async ({ destination }) => {
        await nextRound();
        const all = found(exporter, destination);
        if (all.length > MAX_SHARING) throw new RpcError(ERROR, tooMany(all.length));
        const code = bestOf(all.map((one) => destinationView(exporter, one)))?.code ?? ERROR;
        if (code === ERROR) throw new RpcError(ERROR, 'there is no verdict yet');
        return code;
      },
    },
    'keepalive.add': admin(exporter, {
      params: ADD_PARAMS,
      required: 2,
      call: ({ owner, ...entry }) => add(exporter, ownerOf(owner), entry),
    }),
    'keepalive.del': admin(exporter, {
      params: ['uri', 'owner'],
      required: 2,
      call: ({ uri, owner }) => remove(exporter, uri, textOf(owner, 'owner')),
    }),
    'keepalive.flush': admin(exporter, {
      params: ['owner'],
      required: 0,
      call: ({ owner }) =>
        written(exporter.runtimeDestinations.flush(optionalText(owner, 'owner'))),
    }),
  };
}

/** Answers with an error unless the admin API is switched on. */
function admin(exporter: Exporter, method: Method): Method {
  const call = async (params: Params) => {
    if (!exporter.isAdminEnabled) {
      throw new RpcError(ERROR, 'not allowed; start the exporter with --web.enable-admin-api');
    }
    return method.call(params);
  };
  return { ...method, call };
}

function add(exporter: Exporter, owner: string, entry: Params): Promise<1 | -2> {
  const given = Object.entries(entry).filter(([, value]) => value !== undefined);
  return written(exporter.runtimeDestinations.add(owner, Object.fromEntries(given)));
}

/** 1, as Kamailio answers. */
async function remove(exporter: Exporter, uri: unknown, owner: string): Promise<1> {
  // What is kept and not watched, because its module is gone, goes by its name.
  const byName = await written(exporter.runtimeDestinations.remove(owner, [textOf(uri, 'uri')]));
  if (byName > 0) return 1;
  const watched = found(exporter, uri);
  const names = watched.map(({ destination }) => destination.name);
  const removed = await written(exporter.runtimeDestinations.remove(owner, names));
  if (removed > 0) return 1;
  const isElsewhere = watched.some(({ owners }) => owners.includes(owner));
  throw new RpcError(
    ERROR,
    isElsewhere
      ? `${owner} has it from the configuration, where it has to be deleted`
      : `${owner} does not watch it`,
  );
}

function tooMany(count: number): string {
  return `expected the name of one, got a URI that ${count} destinations share`;
}

/** What went wrong with an addition is told as Kamailio does. */
async function written<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw error instanceof RuntimeDestinationError ? new RpcError(ERROR, error.message) : error;
  }
}

/** By name, else by URI. @throws RpcError when nothing is watched under it. */
function found(exporter: Exporter, asked: unknown): readonly RegisteredDestination[] {
  try {
    const watched = find(exporter, textOf(asked, 'uri'));
    if (watched.length > 0) return watched;
  } catch (error) {
    throw error instanceof UriError ? new RpcError(ERROR, error.message) : error;
  }
  throw new RpcError(ERROR, `not watched: ${String(asked)}`);
}

/** One for each owner, as in Kamailio; with `owner`, of that one alone. */
async function list(
  exporter: Exporter,
  all: readonly RegisteredDestination[],
  owner: string | undefined,
): Promise<readonly object[]> {
  const listed: object[] = [];
  for (const [index, watched] of all.entries()) {
    if (index % BATCH === BATCH - 1) await nextRound();
    const owners = watched.owners.filter((one) => owner === undefined || one === owner);
    if (owners.length === 0) continue;
    const described = destinationView(exporter, watched);
    listed.push(...owners.map((one) => asKamailio(described, one)));
  }
  return listed;
}

/** Kamailio's fields, then ours. Its times are texts too; null stands for never. */
function asKamailio({ uri, state, ...ours }: DestinationView, owner: string): object {
  const latest = (times: readonly (string | null)[]) =>
    times.reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null);
  const { targets } = ours;
  return {
    uri,
    owner,
    'last checked': latest(targets.map((target) => target.last_ping)),
    'last up': latest(targets.map((target) => target.last_up)),
    'last down': latest(targets.map((target) => target.last_down)),
    state: STATES.indexOf(state),
    ...ours,
    state_text: state,
  };
}

function textOf(given: unknown, name: string): string {
  if (typeof given === 'string' && /^[^\p{C}]{1,1024}$/u.test(given)) return given;
  throw new RpcError(INVALID_PARAMS, `params.${name}: expected a text, got ${typeof given}`);
}

function ownerOf(given: unknown): string {
  if (isOwner(given)) return given;
  throw new RpcError(INVALID_PARAMS, `params.owner: expected ${OWNER_WANTED}, got ${show(given)}`);
}

function optionalText(given: unknown, name: string): string | undefined {
  return given === undefined ? undefined : textOf(given, name);
}
