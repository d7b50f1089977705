/** Loads a module of the status page that needs no browser. */

const PAGE = new URL('../../../page/', import.meta.url);

/** @param file relative to `page/`. */
export async function pageModule<Module>(file: string): Promise<Module> {
  // The page is not compiled, so the compiler does not know its modules.
  const module: unknown = await import(new URL(file, PAGE).href);
  return module as Module;
}
