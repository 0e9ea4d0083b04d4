import { connect } from '#src/db/connect.ts';
import { createListener } from '#src/db/listener.ts';
import { startRunner } from '#src/jobs/runner.ts';
import type { Log } from '#src/ports/log.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { counting } from './services/counting-run.ts';

/** A worker of runs in a process of its own, so that a test can kill it or stop it: `DATABASE_URL` says where, stdout what went wrong. */
const log: Log = { ...silentLog, warn: (_details, message) => console.log(message), child: () => log };
const connection = { connectionString: process.env['DATABASE_URL'] ?? '' };
/** Stopped in the middle of a transaction it keeps its row from others for so long. */
const statementTimeoutMs = 1_000;
const db = connect({ connection, poolSize: 3, statementTimeoutMs, log: silentLog });
const listener = createListener({ connection, log: silentLog });
await startRunner({ db, log }, listener, { scrub: counting(5) }, { leaseMs: 500, pollMs: 50 });
