/** The line that says that the silences are not known, above every view that shows them. */

import { setText } from '../dom.js';

/** @typedef {import('../store.js').Store} Store */

/** @param {Pick<Store, 'silences' | 'silencesError' | 'silencesAtMs'>} store */
export function silencesProblem({ silences, silencesError, silencesAtMs }) {
  if (silencesError === '') return '';
  const kept =
    silences === null
      ? 'None is shown.'
      : `Those shown are of ${new Date(silencesAtMs).toLocaleTimeString()}.`;
  return `The silences are not known: ${silencesError}. ${kept}`;
}

/** @param {Store} store */
export function showSilencesProblem(store) {
  const line = document.getElementById('silences-problem');
  if (line !== null) setText(line, silencesProblem(store));
}
