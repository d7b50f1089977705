import { Socket } from 'node:net';

/** Whether this version of Node.js can mark packets of TCP sockets (RFC 2474). */
export const CAN_SET_DSCP = 'setTypeOfService' in Socket.prototype;
