/** How a child hears from the benchmark: a line on standard input, and a line that answers it. */

import { createInterface } from 'node:readline';

/** Answers each line of standard input; ends the process with the input. */
export function answerLines(answer: (line: string) => string): void {
  const questions = createInterface({ input: process.stdin });
  questions.on('line', (line) => console.log(answer(line)));
  questions.on('close', () => process.exit(0));
}
