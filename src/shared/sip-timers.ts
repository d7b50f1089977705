/** RFC 3261 17.1.1.1: the estimate of the round-trip time, and the pause before the first retransmission. */
export const T1_MS = 500;
