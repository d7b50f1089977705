/**
 * Reads a value that may become invalid: while `read` throws, the result is its last value, and each
 * new error is reported once.
 *
 * @throws what `read` throws the first time.
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
