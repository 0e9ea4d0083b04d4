/**
 * A process that owns an embedded server, for tests that kill it:
 * `node embedded-postgres-owner.ts <data folder>`. Prints one line of JSON when the server is up, or why not.
 */
import { startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { isStorageError } from '#src/domain/errors.ts';

const dataDir = process.argv[2] ?? '';
try {
  const { connection, adopted, pid } = await startEmbeddedPostgres({ dataDir, fsync: false });
  say({ connection, adopted, pid });
  setInterval(() => {}, 60_000);
} catch (error) {
  if (!isStorageError(error)) throw error;
  say({ code: error.code, message: error.message });
}

function say(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
