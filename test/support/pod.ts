/**
 * A pod of the chart as a process on this machine: its files, its arguments and its health checks are
 * those of the chart.
 */

import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { basename, join } from 'node:path';
import { MAIN } from './exporter.js';
import type { Node, Rendered } from './helm.js';
import { type CleanUps, folder, type Running, run, runToEnd } from './process.js';

/** The files of a ConfigMap or Secret. */
export type Files = Readonly<Record<string, string>>;

export interface Pod extends Running {
  /** Whether a health check passes. */
  passes(probe: 'startupProbe' | 'readinessProbe' | 'livenessProbe'): Promise<boolean>;
  /** Replaces the files of a ConfigMap or Secret. */
  update(name: string, files: Files): void;
}

/**
 * Starts the container of a Deployment or StatefulSet.
 *
 * @param sources the files of each ConfigMap and Secret that it mounts, by name.
 * @param ordinal the index of the pod.
 */
export function startPod(
  t: CleanUps,
  workload: Rendered,
  sources: Readonly<Record<string, Files>>,
  ordinal = 0,
): Pod {
  const root = folder(t);
  const spec = workload['spec']?.['template']?.['spec'] as Node;
  const container = spec['containers']?.[0] as Node;
  const folders = mountedFolders(spec, container, root);
  const update = (name: string, files: Files) => mount(folders.get(name) ?? root, files);
  for (const [name, files] of Object.entries(sources)) update(name, files);

  const inRoot = (text: string) => text.replace(/(?<=^|=)\/(?=(etc|var)\/)/, `${root}/`);
  const args = strings(container['args']).map(inRoot);
  const env = { ...process.env, ...variables(container, ordinal) };
  const port = Number(container['ports']?.[0]?.['containerPort']);
  return {
    ...run(t, process.execPath, [MAIN, ...args], { env }),
    update,
    passes: async (probe) => {
      const { exec, httpGet } = container[probe] as Node;
      if (httpGet !== undefined) return (await statusOf(httpGet, port)) === 200;
      const [program, ...rest] = strings(exec?.['command']).map(inRoot);
      return program === 'node' && runToEnd(process.execPath, rest).status === 0;
    },
  };
}

const strings = (list: Node | undefined) => [...((list ?? []) as unknown as string[])];

/** Creates the folders of the mounts below `root`. By the names of their ConfigMaps and Secrets. */
function mountedFolders(spec: Node, container: Node, root: string): ReadonlyMap<string, string> {
  const named = (container['volumeMounts'] as Node).map((mount) => {
    const volume = (spec['volumes'] as Node).find(({ name }) => name === mount['name']);
    const path = join(root, String(mount['mountPath']));
    mkdirSync(path, { recursive: true });
    const name = volume?.['configMap']?.['name'] ?? volume?.['secret']?.['secretName'];
    return [String(name), path] as const;
  });
  return new Map(named);
}

/** As the kubelet does it: the files are links into a folder, and that folder is replaced. */
function mount(path: string, files: Files): void {
  const data = mkdtempSync(join(path, '..files-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data, name), text);
  symlinkSync(basename(data), join(path, '..data_tmp'));
  renameSync(join(path, '..data_tmp'), join(path, '..data'));
  for (const name of Object.keys(files)) {
    try {
      symlinkSync(join('..data', name), join(path, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function variables(container: Node, ordinal: number): Readonly<Record<string, string>> {
  const env = (container['env'] ?? []) as Node;
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const isIndex = /pod-index/.test(String(valueFrom?.['fieldRef']?.['fieldPath']));
      return [String(name), isIndex ? String(ordinal) : String(value)];
    }),
  );
}

/** As the kubelet asks: without verifying the certificate. */
function statusOf({ path, scheme }: Node, port: number): Promise<number | undefined> {
  const options = { port, path: String(path), rejectUnauthorized: false };
  const get = String(scheme) === 'HTTPS' ? getHttps : getHttp;
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', ...options }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', () => resolve(undefined));
  });
}
