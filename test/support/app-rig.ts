/** The HTTP routes on a real server in the process of the test; everything behind them is fake. */

import type { TestContext } from 'node:test';
import { type AppOptions, createApp } from '../../src/http/app.js';
import { serve } from './http-server.js';
import { idleApp } from './idle-app.js';
import { statusRig } from './status-rig.js';

export async function appRig(t: Pick<TestContext, 'after'>, change: Partial<AppOptions> = {}) {
  const rig = statusRig();
  const errors: string[] = [];
  const app = createApp(
    idleApp({
      ...{ status: rig.status, clock: rig.clock },
      onError: (error, path) => errors.push(`${path}: ${error}`),
      ...change,
    }),
  );
  const { port } = await serve(t, app);
  const url = `http://127.0.0.1:${port}`;
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, { headers });
  const text = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await get(path, headers);
    return [answer.status, await answer.text()] as const;
  };
  const json = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await get(path, headers);
    const body: unknown = await answer.json();
    return { status: answer.status, body };
  };
  const post = (path: string, body = '') => fetch(`${url}${path}`, { method: 'POST', body });
  return { ...rig, errors, url, get, text, json, post };
}
