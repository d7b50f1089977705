/** The stream of state changes, and how fresh the page is. */

/**
 * @typedef {import('../src/status/views.js').ChangeView} ChangeView
 * @typedef {'connecting' | 'live' | 'disconnected' | 'paused'} LiveState
 */

/** Pause before reconnecting after a refusal; after other failures the browser does it by itself. */
const RECONNECT_MS = 5_000;
const EVENTS = ['dst-up', 'dst-down', 'dst-unknown'];

/**
 * @typedef {object} LiveListener
 * @property {(change: ChangeView) => void} onChange
 * @property {() => void} onReconnected changes may have been missed
 * @property {() => void} onState called when `state` has changed
 */

export class Live {
  /** @type {LiveState} */ state = 'connecting';
  /** When the page last heard from the exporter, milliseconds; 0 before that. */
  lastContactMs = 0;
  /** When the view was last complete, milliseconds; 0 before that. */
  lastDataMs = 0;
  /** @type {EventSource | undefined} */ #source;
  #hasMissed = false;
  #listener;

  /** @param {LiveListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** Records that the exporter has answered. */
  contacted() {
    this.lastContactMs = Date.now();
  }

  /** Records that the view has its data. */
  refreshed() {
    this.contacted();
    this.lastDataMs = Date.now();
  }

  start() {
    this.#source?.close();
    const source = new EventSource('api/v1/events');
    this.#source = source;
    source.addEventListener('open', () => this.#opened());
    source.addEventListener('error', () => this.#failed(source));
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        const { data } = /** @type {MessageEvent<string>} */ (event);
        this.contacted();
        this.#listener.onChange(/** @type {ChangeView} */ (JSON.parse(data)));
      });
    }
  }

  /** A browser has six connections to one server, shared by all tabs: a hidden page needs none. */
  pause() {
    this.#source?.close();
    this.#hasMissed = true;
    this.#become('paused');
  }

  #opened() {
    this.contacted();
    this.#become('live');
    // The server may have dropped some of the events that were missed.
    if (this.#hasMissed) this.#listener.onReconnected();
    this.#hasMissed = false;
  }

  /** @param {EventSource} source */
  #failed(source) {
    this.#hasMissed = true;
    this.#become('disconnected');
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (source === this.#source && !document.hidden) this.start();
    }, RECONNECT_MS);
  }

  /** @param {LiveState} state */
  #become(state) {
    this.state = state;
    this.#listener.onState();
  }
}
