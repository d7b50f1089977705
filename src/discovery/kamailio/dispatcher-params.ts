/** The parameters of Kamailio's module dispatcher. */

import { dirname, resolve } from 'node:path';
import { methodProblem } from '../../shared/method.js';
import { MAX_RUN } from '../../shared/state.js';
import { canonicalUri, pingableUri } from '../../shared/uri.js';
import { addressProblem, ROUTES_CHOOSE, readSocket, UnusableSocket } from '../dispatcher/socket.js';
import type { ListDefaults } from '../dispatcher/target.js';
import type { Report } from '../remark.js';
import {
  MAX_INTERVAL_SECONDS,
  type Module,
  type Param,
  textOf,
  uriOf,
  wholeNumberOf,
} from './param.js';
import { aliveCodesOf } from './reply-codes.js';

/** The default of `list_file`, as Debian and most others build Kamailio. */
const DEFAULT_LIST = '/etc/kamailio/dispatcher.list';
/** Kamailio's working directory, unless its option -w sets another one. */
const WORKING_DIRECTORY = '/';
/** The unit of `ds_ping_fr_timer`: ticks of Kamailio's timer. */
const TICKS_PER_SECOND = 16;
const MAX_TICKS = MAX_INTERVAL_SECONDS * TICKS_PER_SECOND;
/** The value of `ds_probing_mode` for pinging every destination. */
const PROBE_ALL = 1;

/** The parameters that are ping settings, by their names there. */
const SETTINGS: Readonly<
  Record<string, { readonly name: string; readonly read: (param: Param) => unknown }>
> = {
  ds_probing_threshold: { name: 'fall', read: (param) => wholeNumberOf(param, 1, MAX_RUN) },
  ds_inactive_threshold: { name: 'rise', read: (param) => wholeNumberOf(param, 1, MAX_RUN) },
  ds_ping_from: { name: 'ping_from', read: (param) => uriOf(param, canonicalUri) },
  outbound_proxy: {
    name: 'route',
    read: (param) => uriOf(param, (text) => pingableUri(text, 'auto')),
  },
  ds_ping_method: { name: 'method', read: methodOf },
  ds_ping_reply_codes: { name: 'alive_codes', read: codesOf },
};
/** The parameters with a number that means something only together with others, and their maximums. */
const NUMBERS: Readonly<Record<string, number>> = {
  ...{ ds_ping_interval: MAX_INTERVAL_SECONDS, ds_probing_mode: 3 },
  ...{ ds_ping_fr_timer: MAX_TICKS, ds_ping_fr_timeout: MAX_TICKS },
};
/** The parameters with a socket for pings, the preferred one first. */
const SOCKETS: readonly string[] = ['ds_ping_socket', 'ds_default_sockname', 'ds_default_socket'];

const CONCERNING: readonly string[] = [
  ...['', 'list_file', 'db_url'],
  ...Object.keys(SETTINGS),
  ...SOCKETS,
];

/** The file with the destinations. */
export interface ListFile {
  /** Where it may be, in the order in which to look. */
  readonly paths: readonly string[];
  /** The statement that names it, or the first one about the module. */
  readonly place: string;
}

interface Placed<T> {
  readonly value: T;
  readonly param: Pick<Param, 'name' | 'report'>;
}

/** The last value of each parameter holds for all destinations, wherever it is set, as in Kamailio. */
export class DispatcherParams implements Module {
  readonly name = 'dispatcher';
  readonly #isLocal: (address: string) => boolean;
  #first: { readonly place: string; readonly report: Report } | undefined;
  #list: { readonly file: string; readonly place: string } | undefined;
  #hasDatabase = false;
  readonly #settings = new Map<string, unknown>();
  readonly #numbers = new Map<string, Placed<number>>();
  readonly #sockets = new Map<string, Placed<string>>();

  /** @param isLocal whether pings can be sent from an IP address (IPv6 without brackets). */
  constructor(isLocal: (address: string) => boolean) {
    this.#isLocal = isLocal;
  }

  get isUsed(): boolean {
    return this.#first !== undefined;
  }

  concerns(name: string): boolean {
    const isAboutPings = /^ds_(?:ping|probing)_/.test(name) && name !== 'ds_ping_latency_stats';
    return isAboutPings || CONCERNING.includes(name);
  }

  /** Records that the module is loaded. */
  load(place: string, report: Report): void {
    this.#first ??= { place, report };
  }

  set(param: Param): void {
    const { name, place, report } = param;
    this.load(place, report);
    const setting = SETTINGS[name];
    if (setting !== undefined) this.#use(setting.name, setting.read(param));
    else if (name === 'list_file') {
      const file = textOf(param);
      if (file !== undefined) this.#list = { file, place };
    } else if (name === 'db_url') {
      this.#hasDatabase = true;
      const advice = 'which is not read: use discovery.kamailio_rpc';
      report('skipped', `db_url: the destinations are in a database, ${advice}`);
    } else this.#keep(param);
  }

  /** The file with the destinations; undefined when there is none, or they are in a database. */
  list(cfg: string): ListFile | undefined {
    if (this.#first === undefined || this.#hasDatabase) return undefined;
    const { file, place } = this.#list ?? { file: DEFAULT_LIST, place: this.#first.place };
    const paths = [resolve(WORKING_DIRECTORY, file), resolve(dirname(cfg), file)];
    return { paths: [...new Set(paths)], place };
  }

  /** What holds for lines of the list without attributes of their own. Reports what Kamailio does differently. */
  defaults(): ListDefaults {
    const interval = this.#numbers.get('ds_ping_interval')?.value ?? 0;
    if (interval > 0) this.#use('ping_interval', interval);
    this.#reportWhatIsPinged(interval);
    this.#use('ping_timeout', this.#timeout(interval));
    return { socket: this.#socket(), settings: Object.fromEntries(this.#settings) };
  }

  /** Keeps a value that means something only together with others. */
  #keep(param: Param): void {
    const { name, report } = param;
    const max = NUMBERS[name];
    if (max !== undefined) {
      const value = wholeNumberOf(param, 0, max);
      if (value !== undefined)
        this.#numbers.set(name.replace('timeout', 'timer'), { value, param });
    } else if (SOCKETS.includes(name)) {
      const value = textOf(param);
      if (value !== undefined) this.#sockets.set(name, { value, param });
    } else report('adjusted', `${name.slice(0, 120)}: not a known parameter of dispatcher`);
  }

  #use(setting: string, value: unknown): void {
    if (value !== undefined) this.#settings.set(setting, value);
  }

  #reportWhatIsPinged(interval: number): void {
    const mode = this.#numbers.get('ds_probing_mode');
    const number = mode?.value ?? 0;
    const name = interval === 0 ? 'ds_ping_interval' : 'ds_probing_mode';
    const report = this.#numbers.get(name)?.param.report ?? this.#first?.report;
    if (interval === 0) {
      const here = 'here every destination is pinged, at ping_interval';
      report?.('adjusted', `ds_ping_interval is 0, so Kamailio pings none of its list: ${here}`);
    } else if (number !== PROBE_ALL) {
      const there = 'so Kamailio pings only destinations that have failed or that have flag 8';
      report?.('adjusted', `ds_probing_mode is ${number}, ${there}: here every one is pinged`);
    }
  }

  /** In seconds; undefined for the default. */
  #timeout(interval: number): number | undefined {
    const ticks = this.#numbers.get('ds_ping_fr_timer');
    if (ticks === undefined || ticks.value === 0) return undefined;
    const { name, report } = ticks.param;
    const seconds = ticks.value / TICKS_PER_SECOND;
    if (interval === 0 || seconds < interval) return seconds;
    const limit = `pings never overlap, and ds_ping_interval is ${interval} s`;
    report('adjusted', `${name}: ${seconds} s is not used as ping_timeout: ${limit}`);
    return undefined;
  }

  /** The socket that Kamailio uses for destinations without one of their own. */
  #socket(): ListDefaults['socket'] {
    // An empty text is the same as none, as in Kamailio.
    const used = SOCKETS.map((name) => this.#sockets.get(name)).find((one) => one?.value);
    if (used === undefined) return undefined;
    const { name, report } = used.param;
    const shown = `${name}=${used.value.slice(0, 120)}`;
    const adjust = (reason: string) => report('adjusted', `${shown}: ${reason}: ${ROUTES_CHOOSE}`);
    if (name === 'ds_default_sockname') {
      adjust('only Kamailio knows named sockets');
      return undefined;
    }
    try {
      const socket = readSocket(used.value, shown);
      const problem = addressProblem(socket, this.#isLocal);
      if (problem === undefined) return socket;
      adjust(problem);
      return { ...socket, address: undefined };
    } catch (error) {
      if (error instanceof UnusableSocket) return error;
      throw error;
    }
  }
}

function methodOf(param: Param): string | undefined {
  const method = textOf(param)?.toUpperCase();
  const expected = method && methodProblem(method);
  if (!expected) return method || undefined;
  const got = JSON.stringify(method.slice(0, 120));
  param.report('adjusted', `ds_ping_method: expected ${expected}, got ${got}: ignored`);
  return undefined;
}

function codesOf(param: Param): string | undefined {
  const text = textOf(param);
  return text === undefined ? undefined : aliveCodesOf(text, param.report);
}
