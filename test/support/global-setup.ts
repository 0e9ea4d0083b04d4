import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { postgresOnDemand } from './postgres-on-demand.ts';
import { dropTemplate } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly testRun: {
      /** Names what this run leaves on a server that other runs use too. */
      readonly id: string;
      /** Port of 127.0.0.1 that tells the connection of the run's PostgreSQL, and starts it for the first who asks. */
      readonly postgresPort: number;
    };
  }
}

/** Before all tests of a run, in vitest's own process; the returned function runs after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const id = randomBytes(4).toString('hex');
  const postgres = await postgresOnDemand();
  project.provide('testRun', { id, postgresPort: postgres.port });
  return async () => {
    await postgres.close();
    const url = process.env['TEST_DATABASE_URL'];
    if (url) await dropTemplate({ connectionString: url }, id);
  };
}
