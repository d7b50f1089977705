/** What the destination dashboard selects, and why a panel may be empty. */

export const ONE = 'instance=~"$instance",destination="$destination"';
export const TARGET = 'transport, address';
export const NO_PINGS = 'No completed pings';
export const NO_ANSWER = 'No answered pings';
