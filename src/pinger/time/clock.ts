/** The clock of both threads. */
export { type Clock, systemClock } from '../../shared/clock.js';
