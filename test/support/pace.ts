/**
 * How many files that start the service run at one time. Each has a service of its own, which waits for clocks, disks and
 * queues more than it works: three keep two cores busy.
 */
export const SERVICES_AT_ONCE = 3;

/** How long `expect.poll` waits unless it says otherwise. vitest's own second is over before a busy machine has answered. */
export const PATIENCE = { poll: { timeout: 15_000 } };

/** How long a test may take. Only a test that hangs needs it all, and a busy machine takes ten times as long as a quiet one. */
export const TEST_LIMIT_MS = 60_000;
/** The same for a test that starts services, kills them and starts them again. */
export const SERVICE_TEST_LIMIT_MS = 240_000;
