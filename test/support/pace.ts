/**
 * How many files that start the service run at one time. Each has a service of its own, which waits for clocks, disks and
 * queues more than it works: three keep two cores busy.
 */
export const SERVICES_AT_ONCE = 3;

/** How long `expect.poll` waits unless it says otherwise. vitest's own second is over before a busy machine has answered. */
export const PATIENCE = { poll: { timeout: 15_000 } };
