/** What writes the metrics that tests read. */

import {
  type ExporterMetrics,
  NO_EXPORTER_METRICS,
  type RenderSettings,
} from '../../src/metrics/renderer.js';
import { TextRenderer } from '../../src/metrics/text-renderer.js';

export const RENDER_SETTINGS: RenderSettings = {
  histograms: 'both',
  isCreatedShown: false,
  hasExemplars: true,
};

export function textRenderer(
  settings: Partial<RenderSettings> = {},
  encoding: 'text' | 'openmetrics' = 'text',
  exporterMetrics: ExporterMetrics = NO_EXPORTER_METRICS,
): TextRenderer {
  return new TextRenderer(encoding, exporterMetrics, { ...RENDER_SETTINGS, ...settings });
}
