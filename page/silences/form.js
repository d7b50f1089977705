/** The dialog that makes a silence. */

import { errorText, postJson } from '../api.js';
import { button, el } from '../dom.js';

/**
 * @typedef {object} SilenceTarget
 * @property {string} title what is silenced, as a text
 * @property {string} [destination]
 * @property {{ readonly name: string, readonly value: string }} [label]
 * @property {readonly string[]} [destinations]
 */

/** @type {readonly (readonly [string, string])[]} seconds and text */
const DURATIONS = [
  ['1800', '30 minutes'],
  ['3600', '1 hour'],
  ['7200', '2 hours'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
  ['604800', '1 week'],
];
const DEFAULT_DURATION = '7200';

/**
 * @param {import('../context.js').PageContext} context
 * @param {SilenceTarget} target
 */
export function openSilenceForm(context, { title, ...target }) {
  const duration = el(
    'select',
    { id: 'silence-duration' },
    ...DURATIONS.map(([value, text]) => el('option', { value }, text)),
  );
  duration.value = DEFAULT_DURATION;
  const comment = el('input', { id: 'silence-comment', required: true, maxlength: 1000 });
  const author = el('input', { id: 'silence-author', autocomplete: 'username', maxlength: 100 });
  const problem = el('p', { role: 'alert', class: 'problem' });
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Silence');
  const dialog = el('dialog', { 'aria-labelledby': 'silence-title' });
  const form = el(
    'form',
    {},
    el('h2', { id: 'silence-title' }, `Silence ${title}`),
    el('label', { for: 'silence-duration', class: 'field' }, 'For', duration),
    el('label', { for: 'silence-comment', class: 'field' }, 'Note', comment),
    el('label', { for: 'silence-author', class: 'field' }, 'Your name', author),
    problem,
    el(
      'p',
      { class: 'actions' },
      button('Cancel', () => dialog.close()),
      submit,
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit.disabled = true;
    const note = { comment: comment.value, created_by: author.value || undefined };
    postJson('api/v1/silences', { ...target, duration: Number(duration.value), ...note })
      .then(() => {
        dialog.close();
        return context.reloadSilences();
      })
      .catch((/** @type {unknown} */ error) => {
        problem.textContent = errorText(error);
        submit.disabled = false;
      });
  });
  dialog.append(form);
  open(dialog);
  comment.focus();
}

/** Shows a dialog until it is closed or another view is opened. @param {HTMLDialogElement} dialog */
function open(dialog) {
  const onLeave = () => dialog.close();
  addEventListener('hashchange', onLeave);
  dialog.addEventListener('close', () => {
    removeEventListener('hashchange', onLeave);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}
