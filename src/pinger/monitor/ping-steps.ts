/**
 * The messages of the last ping of each target, as numbers in arrays that all targets share: a ping
 * allocates nothing, and a target takes 82 bytes.
 */

/** Maximum number of messages per ping. Further ones replace the last, so that the final response is kept. */
export const MAX_STEPS = 12;
/** Number of targets per block; a block is allocated when the first of them is pinged. */
const ROWS = 1024;

/** Other kinds are status codes; 0 is a response without a readable one. */
const REQUEST = 1;
const RETRANSMISSION = 2;

class Block {
  /** Monotonic time of the first request. */
  readonly startedAtMs = new Float64Array(ROWS);
  readonly counts = new Uint8Array(ROWS);
  /** 1 after the end of the ping. */
  readonly isOver = new Uint8Array(ROWS).fill(1);
  /** Milliseconds since the first request. */
  readonly offsets = new Float32Array(ROWS * MAX_STEPS);
  readonly kinds = new Uint16Array(ROWS * MAX_STEPS);
}

export interface PingStep {
  readonly offsetMs: number;
  readonly kind: 'request' | 'retransmission' | 'response';
  /** Of a response; 0 when it has no readable one. */
  readonly status: number;
}

/** All times are monotonic. */
export class PingSteps {
  readonly #blocks: (Block | undefined)[] = [];

  /** A target with this index is new. */
  clear(index: number): void {
    const block = this.#blocks[Math.floor(index / ROWS)];
    if (block === undefined) return;
    block.counts[index % ROWS] = 0;
    block.isOver[index % ROWS] = 1;
  }

  sent(index: number, atMs: number, isFirst: boolean): void {
    const block = this.#blockOf(index);
    const row = index % ROWS;
    if (block.isOver[row] === 1) {
      block.isOver[row] = 0;
      block.counts[row] = 0;
      block.startedAtMs[row] = atMs;
    }
    add(block, row, atMs, isFirst ? REQUEST : RETRANSMISSION);
  }

  /** @param status 0 when it is not readable. */
  received(index: number, atMs: number, status: number): void {
    const block = this.#blockOf(index);
    if (block.counts[index % ROWS] !== 0) add(block, index % ROWS, atMs, status);
  }

  /**
   * The ping has ended. The times of its last request and of its response are made to agree with the
   * round-trip time, which may be known more exactly than when the request was handed to the kernel.
   *
   * @param rttMicros undefined without one.
   */
  ended(index: number, rttMicros: number | undefined): void {
    const block = this.#blockOf(index);
    const row = index % ROWS;
    if (block.isOver[row] === 1) {
      // Nothing was sent.
      block.counts[row] = 0;
      return;
    }
    block.isOver[row] = 1;
    if (rttMicros === undefined) return;
    const first = row * MAX_STEPS;
    const answer = first + (block.counts[row] ?? 0) - 1;
    let request = answer;
    while (request > first && block.kinds[request] !== REQUEST) request--;
    const { offsets } = block;
    if (request === first) offsets[answer] = rttMicros / 1000;
    else offsets[request] = (offsets[answer] ?? 0) - rttMicros / 1000;
  }

  /** Undefined when nothing was sent. */
  of(index: number): { readonly startedAtMs: number; readonly steps: PingStep[] } | undefined {
    const block = this.#blocks[Math.floor(index / ROWS)];
    const row = index % ROWS;
    const count = block?.counts[row] ?? 0;
    if (block === undefined || count === 0) return undefined;
    const steps = Array.from({ length: count }, (_, i) => {
      const at = row * MAX_STEPS + i;
      return stepOf(block.kinds[at] ?? 0, block.offsets[at] ?? 0);
    });
    return { startedAtMs: block.startedAtMs[row] ?? 0, steps };
  }

  #blockOf(index: number): Block {
    const number = Math.floor(index / ROWS);
    const block = this.#blocks[number] ?? new Block();
    this.#blocks[number] = block;
    return block;
  }
}

function add(block: Block, row: number, atMs: number, kind: number): void {
  const count = Math.min(block.counts[row] ?? 0, MAX_STEPS - 1);
  const at = row * MAX_STEPS + count;
  block.offsets[at] = Math.max(atMs - (block.startedAtMs[row] ?? 0), 0);
  block.kinds[at] = kind;
  block.counts[row] = count + 1;
}

function stepOf(kind: number, offsetMs: number): PingStep {
  if (kind === REQUEST) return { offsetMs, kind: 'request', status: 0 };
  if (kind === RETRANSMISSION) return { offsetMs, kind: 'retransmission', status: 0 };
  return { offsetMs, kind: 'response', status: kind };
}
