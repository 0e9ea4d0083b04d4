import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { vi } from 'vitest';
import { z } from 'zod';

/** Where a server of these tests listens. */
export const Connection = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  database: z.string(),
  password: z.string().optional(),
});

export async function query(connection: z.infer<typeof Connection>, sql: string): Promise<unknown[]> {
  const { password, ...where } = connection;
  const client = new Client({ ...where, ...(password === undefined ? {} : { password }) });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** The names in the folder and in the data folder below it; none while they do not exist. */
export async function namesIn(home: string): Promise<string[]> {
  const lists = [home, path.join(home, '18')].map((folder) => readdir(folder).catch(() => []));
  return (await Promise.all(lists)).flat();
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(condition, { interval: 1, timeout: 10_000 });
}

/** What a server of that process would leave in the data folder. */
export function pidFileOf(dataDir: string, pid: number): string {
  const folder = path.join(dataDir, 'postgres', '18');
  return [pid, folder, 1_700_000_000, 5432, folder, '', '  1234567         0', 'ready   ', ''].join('\n');
}

/** A program of the user the server runs as that is no server. */
export async function bystander(dataDir: string, owners: ChildProcess[]): Promise<number> {
  const { uid, gid } = await stat(path.join(dataDir, 'postgres', '18'));
  const child = spawn('sleep', ['60'], {
    stdio: 'ignore',
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  owners.push(child);
  await once(child, 'spawn');
  return z.int().parse(child.pid);
}
