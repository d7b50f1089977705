/** Keeps a core busy until it is stopped. */

for (;;);
