/** The clock is shared by both threads; it is exported here for the pinger. */
export { type Clock, systemClock } from '../../shared/clock.js';
