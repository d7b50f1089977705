/** Protocol between the benchmark and a child: a line on standard input, and a line in reply. */

import { createInterface } from 'node:readline';

/** Replies to each line of standard input; exits at its end. */
export function answerLines(answer: (line: string) => string): void {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => console.log(answer(line)));
  input.on('close', () => process.exit(0));
}
