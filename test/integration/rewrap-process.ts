import { setTimeout as pause } from 'node:timers/promises';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import { connect } from '#src/db/connect.ts';
import { createListener } from '#src/db/listener.ts';
import { rewrapKeys } from '#src/jobs/rewrap-keys.ts';
import { startRunner } from '#src/jobs/runner.ts';
import { systemClock } from '#src/ports/clock.ts';
import { silentLog } from '#test/support/silent-log.ts';

/** A worker that re-wraps slowly, in a process of its own, to be killed: connection and key file are its arguments. */
const [, , connectionText = '{}', path = ''] = process.argv;
const connection = JSON.parse(connectionText);
const log = silentLog;
const db = connect({ connection, poolSize: 3, statementTimeoutMs: 15_000, log });
const vault = await createLocalKeyVault({ path });
const slow = {
  ...vault,
  rewrap: async (...call: Parameters<typeof vault.rewrap>) => {
    await pause(100);
    return vault.rewrap(...call);
  },
};
const handler = rewrapKeys({ db, vault: slow, clock: systemClock, log }, { settleMs: 0 });
const listener = createListener({ connection, log });
await startRunner({ db, log }, listener, { 'rewrap-keys': handler }, { leaseMs: 500, pollMs: 50 });
