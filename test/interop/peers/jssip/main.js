/**
 * A WebSocket server that acts as a proxy, and a JsSIP user agent that registers with it. Requests of
 * other clients are forwarded to the user agent, and its responses back: main.js PORT
 */

import { WebSocket, WebSocketServer } from 'ws';

// JsSIP uses the WebSocket of a browser.
globalThis.WebSocket = WebSocket;
const { default: JsSIP } = await import('jssip');

const port = Number(process.argv[2]);
const COPIED = /^(?:Via|From|Call-ID|CSeq|Contact):/i;
/** Clients that wait for a response, by the branch of the forwarded request. */
const waiting = new Map();
let agent;
let contact;
let branches = 0;

function acceptRegistration(ws, text) {
  agent = ws;
  const lines = text.split('\r\n');
  const to = lines.find((line) => /^To:/i.test(line));
  const copied = lines.filter((line) => COPIED.test(line));
  const own = [`${to};tag=proxy`, 'Expires: 600', 'Content-Length: 0', '', ''];
  ws.send(['SIP/2.0 200 OK', ...copied, ...own].join('\r\n'));
}

function forward(ws, text) {
  const branch = `z9hG4bKproxy${++branches}`;
  waiting.set(branch, ws);
  const [startLine, ...rest] = text.split('\r\n');
  const [method] = startLine.split(' ');
  const via = `Via: SIP/2.0/WS 127.0.0.1:${port};branch=${branch}`;
  agent?.send([`${method} ${contact} SIP/2.0`, via, ...rest].join('\r\n'));
}

function handBack(text) {
  const [, branch] = /branch=([^\s;]+)/.exec(text) ?? [];
  waiting.get(branch)?.send(text.replace(/^Via:.*\r\n/im, ''));
  waiting.delete(branch);
}

const server = new WebSocketServer({
  ...{ host: '127.0.0.1', port, handleProtocols: () => 'sip' },
});
server.on('connection', (ws) => {
  ws.on('message', (message) => {
    const text = String(message);
    if (text.startsWith('REGISTER ')) acceptRegistration(ws, text);
    else if (text.startsWith('SIP/2.0 ')) handBack(text);
    else if (/^[A-Z]+ /.test(text)) forward(ws, text);
  });
});

const userAgent = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(`ws://127.0.0.1:${port}`)],
  ...{ uri: 'sip:ping@127.0.0.1', register: true },
});
userAgent.on('registered', () => {
  contact = userAgent.contact.uri.toString();
  console.log('registered');
});
userAgent.start();
