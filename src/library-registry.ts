/** The metrics of the library in a registry of prom-client that the program owns. */

/** The part of a `Registry` of prom-client that is used, so that the types of prom-client are not needed. */
export interface MetricRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

interface MetricValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as `Registry` reads it. */
interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: 'sum';
  get(): Promise<RegisteredMetric & { readonly values: readonly MetricValue[] }>;
  reset(): void;
}

/**
 * Registers every family of the text. A scrape of the registry reads the text once.
 *
 * @param read the metrics in the text format.
 */
export async function registerInto(
  registry: MetricRegistry,
  read: () => Promise<string>,
): Promise<void> {
  let reading: Promise<ReadonlyMap<string, FamilyText>> | undefined;
  const families = () => {
    // A registry asks all its metrics in one turn of the event loop.
    reading ??= read().then(familiesIn);
    setImmediate(() => {
      reading = undefined;
    });
    return reading;
  };
  for (const [name, { help, type }] of await families()) {
    const metric: RegisteredMetric = {
      ...{ name, help, type, aggregator: 'sum' },
      get: async () => {
        const lines = (await families()).get(name)?.lines ?? [];
        return { ...metric, values: lines.map(valueIn) };
      },
      reset: () => {},
    };
    registry.registerMetric(metric as never);
  }
}

interface FamilyText {
  readonly help: string;
  readonly type: string;
  readonly lines: string[];
}

/** The families of a text that this package has rendered, in its order. */
function familiesIn(text: string): ReadonlyMap<string, FamilyText> {
  const families = new Map<string, FamilyText>();
  let current: FamilyText | undefined;
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') families.set(name, { help: unescaped(rest), type: '', lines: [] });
    else if (keyword === 'TYPE') {
      current = { ...(families.get(name) ?? { help: '' }), type: rest, lines: [] };
      families.set(name, current);
    } else if (line !== '') current?.lines.push(line);
  }
  return families;
}

function valueIn(line: string): MetricValue {
  const [, metricName = '', labels = '', value] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const pairs = labels.matchAll(/([^,="]+)="((?:[^"\\]|\\.)*)"/g);
  return {
    metricName,
    labels: Object.fromEntries(
      [...pairs].map(([, name = '', text = '']) => [name, unescaped(text)]),
    ),
    value: Number(value),
  };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
}
