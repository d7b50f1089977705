/** A long list of which only the visible items are in the document, between two spacers. */

/** Items above and below the visible ones, so that scrolling shows no gap. */
const MARGIN = 10;

/**
 * @template Item
 */
export class VirtualItems {
  /** @type {readonly Item[]} */ #items = [];
  /** The upper edge of each item and the lower one of the last, pixels. */
  #edges = new Float64Array(1);

  /**
   * @param {readonly Item[]} items
   * @param {(item: Item) => number} heightOf pixels
   */
  set(items, heightOf) {
    this.#items = items;
    this.#edges = new Float64Array(items.length + 1);
    items.forEach((item, i) => {
      this.#edges[i + 1] = (this.#edges[i] ?? 0) + heightOf(item);
    });
  }

  get count() {
    return this.#items.length;
  }

  /**
   * The items that are visible between two positions, pixels from the upper edge of the first.
   *
   * @param {number} top
   * @param {number} bottom
   */
  between(top, bottom) {
    const count = this.#items.length;
    const first = Math.max(0, Math.min(this.#indexAt(top), count) - MARGIN);
    const end = Math.min(count, this.#indexAt(bottom) + 1 + MARGIN);
    return {
      first,
      items: this.#items.slice(first, end),
      /** Height of the items before and after, pixels. */
      above: this.#edges[first] ?? 0,
      below: (this.#edges[count] ?? 0) - (this.#edges[end] ?? 0),
    };
  }

  /** The item at a position. @param {number} y */
  #indexAt(y) {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#edges[middle + 1] ?? 0) <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
