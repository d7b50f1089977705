/** Answers of a Kamailio to JSON-RPC calls, as version 5.6 sends them. */

export interface ListedDestination {
  readonly uri: string;
  /** Default: AP. */
  readonly flags?: string;
  /** `name=value;…`. */
  readonly attrs?: string;
}

/** The answer to `dispatcher.list`: destinations by set. */
export function dispatcherAnswer(
  sets: Readonly<Record<string, readonly ListedDestination[]>>,
): string {
  const records = Object.entries(sets).map(([id, destinations]) => ({
    SET: { ID: Number(id), TARGETS: destinations.map((one) => ({ DEST: destination(one) })) },
  }));
  return resultAnswer({ NRSETS: records.length, RECORDS: records });
}

export function resultAnswer(result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', result, id: 1 }, undefined, '\t');
}

export function errorAnswer(message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', error: { code: 500, message }, id: 1 }, undefined, '\t');
}

function destination({ uri, flags = 'AP', attrs = '' }: ListedDestination) {
  const attributes = {
    ...{ BODY: attrs, DUID: /(?:^|;)duid=([^;]*)/.exec(attrs)?.[1] ?? null },
    ...{ MAXLOAD: 0, WEIGHT: 0, RWEIGHT: 0, SOCKET: null, SOCKNAME: null, OBPROXY: null },
  };
  return { URI: uri, FLAGS: flags, PRIORITY: 0, ...(attrs === '' ? {} : { ATTRS: attributes }) };
}
