/** The request methods that can be pinged with. */

/**
 * What is expected instead of this method; undefined when it can be used: when it needs no dialog and has a
 * non-INVITE transaction (RFC 3261 17.1.2).
 *
 * @param method in upper case.
 */
export function methodProblem(method: string): string | undefined {
  if (method === 'INVITE') return 'a method such as OPTIONS (INVITE would set up a call)';
  if (method === 'ACK' || method === 'CANCEL') {
    return 'a method that gets a response, such as OPTIONS';
  }
  return /^[A-Z0-9\-.!%*_+`'~]{1,32}$/.test(method) ? undefined : 'a SIP method';
}
