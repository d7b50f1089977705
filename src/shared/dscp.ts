import { Socket } from 'node:net';

/** Whether this Node can mark what a TCP socket sends (RFC 2474). */
export const CAN_SET_DSCP = 'setTypeOfService' in Socket.prototype;
