import { createLog } from './app/log.ts';
import { start } from './app/start.ts';
import { loadConfig, readEnvironment } from './config/index.ts';
import { isStorageError } from './domain/errors.ts';

/** Starts the service, and ends it with exit code 0 on SIGTERM or SIGINT; 1 when it cannot start. */
async function main(): Promise<void> {
  const config = loadConfig(readEnvironment());
  const log = createLog(config.server.logLevel);
  const app = await start(config, log);
  log.info({ url: app.url, roles: config.server.roles }, `LocalEx Storage answers on ${app.url}`);

  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'shutting down');
    void app.stop().then((isClean) => process.exit(isClean ? 0 : 1));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

try {
  await main();
} catch (error) {
  // A person reads this: a known error is one clear message, anything else shows where it came from.
  process.stderr.write(
    `${isStorageError(error) ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}
