import type { Log } from '#src/ports/log.ts';

/** For tests that do not ask what was logged. */
export const silentLog: Log = { info() {}, warn() {}, error() {}, child: () => silentLog };
