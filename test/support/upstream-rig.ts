/** Prometheus and Alertmanager without a network: the test answers their requests. */

import type { HttpReply, HttpRequest, HttpSettings } from '../../src/platform/http.js';
import { JsonServer } from '../../src/upstream/json-server.js';
import { FakeClock } from './fake-clock.js';
import { settings } from './settings.js';

export function httpSettings(url: string, change: Partial<HttpSettings> = {}): HttpSettings {
  return {
    ...{ url, timeoutMs: 10_000, tls: settings().tls, followRedirects: false },
    ...{ basicAuth: undefined, authorization: undefined, ...change },
  };
}

export interface Asked extends HttpRequest {
  readonly url: string;
}

/** @param answer what is sent as JSON with status 200; an error stands for no response. */
export function upstreamRig(name: string, answer: (asked: Asked) => unknown) {
  const clock = new FakeClock();
  const asked: Asked[] = [];
  const current: { settings: HttpSettings | undefined } = {
    settings: httpSettings('http://upstream.example:9090/prefix/'),
  };
  const server = new JsonServer({
    ...{ name, setting: 'web.test_url', clock, settings: () => current.settings },
    request: async ({ url }, request): Promise<HttpReply> => {
      const one = { url, ...request };
      asked.push(one);
      const json = await answer(one);
      if (json instanceof Error) throw json;
      const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
      return { status: 200, contentType: 'application/json', location: '', body };
    },
  });
  /** A reload replaces the settings; undefined if the server is not set. */
  const use = (settings: HttpSettings | undefined) => {
    current.settings = settings;
  };
  return { clock, asked, server, use };
}
