import { readdir, readFile } from 'node:fs/promises';

/** Children of this process that run that entry of `src/images`, by /proc: Linux only. */
export async function imageChildren(entry: 'worker' | 'reader'): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await isOurs(pid, entry)) ? [Number(pid)] : [])));
  return found.flat();
}

async function isOurs(pid: string, entry: string): Promise<boolean> {
  const [command, stat] = await Promise.all([
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
  ]);
  const parent = stat.split(') ')[1]?.split(' ')[1];
  return command.includes(`images/${entry}/main`) && parent === String(process.pid);
}
