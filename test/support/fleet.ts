/** A process with the fleet of the demo: `fleet.js FOLDER`. It writes its members as a line of JSON. */

import { startFleet } from '../../demo/fleet.js';

const [, , folder = ''] = process.argv;
const fleet = await startFleet(folder);
process.stdout.write(`${JSON.stringify(fleet.members)}\n`);
