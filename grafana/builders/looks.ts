/**
 * Colours and texts. The colours are those of the bars of the status page, which are legible on light and
 * dark; each appears with a text or a number.
 */

import {
  type DynamicConfigValue,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';

export const GOOD = '#2da44e';
export const WARNING = '#d29922';
export const BAD = '#cf222e';
export const UNKNOWN = '#8c959f';
export const DRAINING = '#8250df';
/** For what is neither good nor bad. */
export const NEUTRAL = '#4493f8';

/** Units by their Grafana ids. */
export const UNITS = {
  ...{ count: 'none', share: 'percentunit', seconds: 's', bytes: 'bytes' },
  ...{ perSecond: 'cps', perMinute: 'suffix: /min', ago: 'dateTimeFromNow', days: 'suffix: days' },
  ...{ date: 'dateTimeAsIso', times: 'suffix:×' },
} as const;

type ValueText = readonly [value: string, text: string, color: string];

const valueTexts = (...list: readonly ValueText[]): ValueMapping[] => [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      list.map(([value, text, color], index) => [value, { text, color, index }]),
    ),
  },
];

/** For `state`, with the shapes of the status page. */
export const STATES = valueTexts(
  ...([
    ['2', '■ down', BAD],
    ['1.5', '◆ draining', DRAINING],
    ['1', '● up', GOOD],
    ['-1', '○ unknown', UNKNOWN],
  ] as const),
);

/** For `inKamailio`. */
export const KAMAILIO_STATES = valueTexts(
  ...([
    ['1', '● active', GOOD],
    ['2', '■ inactive', BAD],
    ['3', '◆ disabled', UNKNOWN],
    ['4', '▲ trying', WARNING],
  ] as const),
);

/** For gauges that are 1 or 0. */
export const UP_OR_DOWN = valueTexts(['0', '■ down', BAD], ['1', '● up', GOOD]);
export const YES_OR_NO = valueTexts(['0', 'no', BAD], ['1', 'yes', GOOD]);
export const STALE = valueTexts(['0', 'fresh', GOOD], ['1', 'stale', WARNING]);
export const LOADED = valueTexts(['0', 'failed', BAD], ['1', 'loaded', GOOD]);

const steps = (...list: readonly (readonly [number | null, string])[]): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(list.map(([value, color]): Threshold => ({ value, color })));

/** Value of the first step, which has no lower bound. */
const BELOW = null;

export const plain = () => steps([BELOW, NEUTRAL]);
/** For a count that should be 0. */
export const noneIsGood = (color: string = BAD) => steps([BELOW, GOOD], [1, color]);
export const highIsGood = () => steps([BELOW, BAD], [0.99, WARNING], [0.999, GOOD]);
export const lowIsGood = () => steps([BELOW, GOOD], [0.01, WARNING], [0.05, BAD]);
export const daysLeft = () => steps([BELOW, BAD], [7, WARNING], [30, GOOD]);
/** For what is used up at 0. */
export const left = () => steps([BELOW, BAD], [0, WARNING], [600, GOOD]);
/** For the rate at which an error budget is used: 1 uses it up. */
export const burn = () => steps([BELOW, GOOD], [1, WARNING], [10, BAD]);

/** Settings of one column or series, for overrides. */
export const coloured = (thresholds: ThresholdsConfigBuilder): DynamicConfigValue[] => [
  { id: 'thresholds', value: thresholds.build() },
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
];

export const mapped = (mappings: ValueMapping[]): DynamicConfigValue[] => [
  { id: 'mappings', value: mappings },
  { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
];

export const unit = (name: string, decimals?: number): DynamicConfigValue[] => [
  { id: 'unit', value: name },
  ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
];

/** Colour of one series. */
export const fixed = (color: string): DynamicConfigValue[] => [
  { id: 'color', value: { mode: 'fixed', fixedColor: color } },
];
