import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type EmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { Connection, query } from './embedded-postgres-harness.ts';

/** What is said by a process of its own that has started a server. */
export const Started = z.object({ connection: Connection, adopted: z.boolean(), pid: z.number() });

/** What a test does with the database that all share. */
export interface SharedDatabase {
  /** A new folder for each test. */
  readonly scratch: () => string;
  readonly moveDataTo: (folder: string) => Promise<void>;
  readonly start: () => Promise<EmbeddedPostgres>;
  readonly spawnOwner: (env: Record<string, string>) => Promise<{ readonly said: unknown }>;
}

/** Folders that are hard to name: a part of the tests of the embedded server, with the database that they share. */
export function unusualFolders({ scratch, moveDataTo, start, spawnOwner }: SharedDatabase): void {
  test('a data folder too deep for the path of a socket works over a short one', async () => {
    await moveDataTo(path.join(scratch(), 'deep'.repeat(20), 'deeper'.repeat(20)));
    const server = await start();
    expect(Buffer.byteLength(path.join(server.connection.host, '.s.PGSQL.5432'))).toBeLessThanOrEqual(107);
    expect((await stat(server.connection.host)).mode & 0o777).toBe(0o700);
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('where no short path is to be had it works over TCP, with a password only', async () => {
    await moveDataTo(path.join(scratch(), 'deep'.repeat(30)));
    const long = path.join(scratch(), 'temporary'.repeat(12));
    await mkdir(long, { recursive: true });
    const { said } = await spawnOwner({ TMPDIR: long });
    const { connection } = Started.parse(said);
    expect(connection.host).toBe('127.0.0.1');
    expect(await query(connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    await expect(query({ ...connection, password: 'guess' }, 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
  });

  test('names with spaces, quotes, commas and other alphabets are fine', async () => {
    await moveDataTo(path.join(scratch(), `it's, "näïve" データ`));
    const server = await start();
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
}
