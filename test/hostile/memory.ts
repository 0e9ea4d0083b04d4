import { readdir, readFile } from 'node:fs/promises';

const EVERY_MS = 20;
const PAGES_PER_MB = 256;

/** Resident memory in MB: of a process when the watch began, its highest, and the highest of any one child. */
export interface HeldMemory {
  readonly before: number;
  readonly peak: number;
  readonly childPeak: number;
}

interface MemoryWatch {
  stop(): Promise<HeldMemory>;
}

/** Looks again and again at what a process and its children hold. Linux only: elsewhere everything is 0. */
export async function watchMemory(pid: number): Promise<MemoryWatch> {
  const before = await residentMb(pid);
  let [peak, childPeak] = [before, 0];
  const look = async () => {
    peak = Math.max(peak, await residentMb(pid));
    for (const child of await childrenOf(pid)) childPeak = Math.max(childPeak, await residentMb(child));
  };
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(look);
  }, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await last.then(look);
      return { before, peak, childPeak };
    },
  };
}

/** Children run under any thread of their parent. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

async function residentMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Math.round(Number(text.split(' ')[1] ?? 0) / PAGES_PER_MB);
}
