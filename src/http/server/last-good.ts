/**
 * Returns a function that reads a value which may become invalid. While `read` throws, it returns the last
 * value and reports each new error once.
 *
 * @throws the error of the first `read`.
 */
export function lastGood<T>(read: () => T, onError: (error: unknown) => void): () => T {
  let value = read();
  let lastError = '';
  return () => {
    try {
      value = read();
      lastError = '';
    } catch (error) {
      const text = String(error);
      if (text !== lastError) onError(error);
      lastError = text;
    }
    return value;
  };
}
