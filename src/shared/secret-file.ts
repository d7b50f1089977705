/** Secrets in files: passwords, passphrases, signing keys. The same rule applies to all of them. */

/**
 * The secret in a file: its text without one trailing line break, which editors and `echo` add.
 * Spaces are part of the secret.
 */
export function secretIn(text: string): string {
  return text.replace(/\r?\n$/, '');
}
