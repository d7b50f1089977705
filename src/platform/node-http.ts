/**
 * `node:http`. An `import` of it evaluates all its exports, and so loads the clients for `fetch` and
 * WebSocket that nothing here uses: 13 MB and a tenth of a second.
 */
export const http = process.getBuiltinModule('node:http');
