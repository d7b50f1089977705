/** Reports changes of the files that settings name to the pinger thread and the log. */

import type { WatchedFiles } from './platform/watched-files.js';
import type { Clock } from './shared/clock.js';
import type { LogLine } from './shared/protocol.js';
import type { Supervisor } from './supervisor/supervisor.js';

export interface SettingsFilesOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly log: (line: LogLine) => void;
  readonly supervisor: Pick<Supervisor, 'sendFiles'>;
}

/** Watches the files until they are closed. */
export function watchSettingsFiles(
  files: WatchedFiles,
  { clock, log, supervisor }: SettingsFilesOptions,
): void {
  const onChange = () => {
    const message = 'file named in the configuration has changed; using its new contents';
    log({ level: 'info', event: 'file_changed', message, fields: {} });
    supervisor.sendFiles();
  };
  const onError = (error: unknown) =>
    log({
      level: 'error',
      event: 'file_invalid',
      message: 'file named in the configuration is invalid; using its previous contents',
      fields: { error: error instanceof Error ? error.message : String(error) },
    });
  files.watch(clock, onChange, onError);
}
