#!/usr/bin/env node

/**
 * The health check of the container image: whether the exporter in this container answers. It asks the
 * sockets on which a process of the container listens, so that it needs neither address nor password, and
 * a configuration file that is wrong by now does not matter. Exit code 0 or 1, and a line that says why.
 */

import * as http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { listeningSockets } from './platform/listening-sockets.js';
import { type ListenAddress, listenAddressText } from './shared/listen-address.js';

const TIMEOUT_MS = 3_000;

type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** Any status is an answer: it may ask for a password, or everything may be below a prefix. */
function answerToHttp(place: Place): Promise<string> {
  const to = 'path' in place ? { socketPath: place.path } : place;
  return new Promise((resolve, reject) => {
    const request = http.get({ ...to, path: '/-/healthy', agent: false });
    request.on('response', (response) => {
      response.resume();
      resolve(`HTTP status ${response.statusCode}`);
    });
    request.on('error', reject);
  });
}

/** A handshake is an answer: after it the server may ask for a certificate. */
function answerToTls(place: Place): Promise<string> {
  const accepted = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  return new Promise((resolve, reject) => {
    // This asks whether the server answers, not who it is.
    const socket = tls.connect({ ...place, ...accepted, rejectUnauthorized: false });
    socket.on('secureConnect', () => resolve(`TLS handshake with ${socket.getProtocol()}`));
    socket.on('error', reject);
  });
}

function placesOf(at: ListenAddress): readonly Place[] {
  if (at.kind === 'unix') return [{ path: at.path }];
  const hosts = at.host === '' ? ['127.0.0.1', '::1'] : [at.host];
  return hosts.map((host) => ({ host, port: at.port }));
}

async function answerOf(at: ListenAddress): Promise<string> {
  const text = listenAddressText(at);
  const asked = placesOf(at).flatMap((place) => [answerToHttp(place), answerToTls(place)]);
  const answer = await Promise.any(asked).catch((error: AggregateError) => {
    throw new Error(`${text}: ${error.errors.join(', ')}`);
  });
  return `${text}: ${answer}`;
}

/** A process that is stopped, or stuck, accepts connections all the same: the kernel does it. */
async function timeout(): Promise<never> {
  await sleep(TIMEOUT_MS);
  throw new Error(`no answer within ${TIMEOUT_MS} ms`);
}

/** Returns the exit code. */
async function check(): Promise<number> {
  const sockets = listeningSockets();
  if (sockets.length === 0) {
    process.stdout.write('no process of this container listens\n');
    return 1;
  }
  try {
    const answer = await Promise.race([Promise.any(sockets.map(answerOf)), timeout()]);
    process.stdout.write(`${answer}\n`);
    return 0;
  } catch (error) {
    const problems = error instanceof AggregateError ? error.errors : [error];
    process.stdout.write(`${problems.join('\n')}\n`);
    return 1;
  }
}

process.exit(await check());
