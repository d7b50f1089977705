/** What Grafana puts a value in place of: a variable of the board, or of a link, and how it is written. */
export const placeholder = (variable: string): string => `$\{${variable}}`;
