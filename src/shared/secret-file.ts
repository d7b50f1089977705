/** Secrets in files: passwords, passphrases, keys of signatures. One rule for all of them. */

/**
 * The secret that a file holds: all of its text but one line break at the end, which editors and
 * `echo` leave there. Blanks belong to the secret.
 */
export function secretIn(text: string): string {
  return text.replace(/\r?\n$/, '');
}
