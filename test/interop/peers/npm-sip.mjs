/** A server of the npm package `sip`: npm-sip.mjs PORT WEBSOCKET_PORT */

import sip from 'sip';

const [port, ws_port] = process.argv.slice(2).map(Number);
sip.start({ address: '127.0.0.1', port, ws_port, udp: true, tcp: true }, (request) => {
  if (request.method === 'OPTIONS') sip.send(sip.makeResponse(request, 200, 'OK'));
});
