/** Syntax of a variable, which Grafana replaces with its value. */
export const placeholder = (variable: string): string => `$\{${variable}}`;
