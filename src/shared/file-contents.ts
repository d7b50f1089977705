/** Contents of the files that settings name. The main thread reads them and sends changes. */
export class Files {
  #contents: ReadonlyMap<string, string> = new Map();
  #version = 0;

  /** Number that increases with each change. */
  get version(): number {
    return this.#version;
  }

  /** Replaces all contents. */
  set(contents: ReadonlyMap<string, string>): void {
    this.#contents = contents;
    this.#version++;
  }

  has(path: string): boolean {
    return this.#contents.has(path);
  }

  /** @throws Error when the file could not be read. */
  text(path: string): string {
    const text = this.#contents.get(path);
    if (text === undefined) throw new Error(`${path} could not be read`);
    return text;
  }
}
