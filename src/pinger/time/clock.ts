/** Both threads use this clock; the pinger imports it from here. */
export { type Clock, systemClock } from '../../shared/clock.js';
