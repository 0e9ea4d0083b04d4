/**
 * How many files that start the service run at one time. Each has a service of its own, which waits for clocks, disks and
 * queues more than it works: three keep two cores busy.
 */
export const SERVICES_AT_ONCE = 3;
