import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { largePhoto } from '#test/support/large-photo.ts';
import { startService } from '#test/support/service.ts';
import { formOf, median, print, seller, send } from './support/client.ts';
import { cpuMs, processTree, pssMb } from './support/processes.ts';

/** Start to the first healthy answer (new data folder, then the same again), and memory and CPU at rest. `node bench/idle.ts` */
const IDLE_MS = 3000;
const env = { LOG_LEVEL: 'error', IMAGE_IDLE_MS: String(IDLE_MS) };
const first: number[] = [];
const again: number[] = [];

for (let round = 0; round < 3; round++) {
  const dataDir = await mkdtemp(join(tmpdir(), 'localex-bench-'));
  first.push(await timedStart(dataDir));
  again.push(await timedStart(dataDir));
  await rm(dataDir, { recursive: true, force: true });
}
print('start-first', { ms_median: median(first), bound_ms: '5000' });
print('start-again', { ms_median: median(again), bound_ms: '1500' });

const service = await startService({ env });
try {
  print('idle-never-used', { pss_mb: await pssMb(await processTree(service.pid)), bound_mb: '450' });
  const { authorization, itemId } = await seller(service.url, 'idle');
  const { contentType, body } = formOf(await largePhoto());
  const answer = await send(
    'POST',
    `${service.url}/v1/items/${itemId}/photos`,
    { authorization, 'content-type': contentType },
    body,
  );
  if (answer.status !== 201) throw new Error(`Expected 201 for the upload but received ${answer.status}`);
  await pause(IDLE_MS + 4000);
  const tree = await processTree(service.pid);
  print('idle-after-an-upload', { pss_mb: await pssMb(tree), processes: tree.length, bound_mb: '450' });
  const cpuBefore = await cpuMs(tree);
  await pause(20_000);
  print('idle-cpu', { ms_per_s: ((await cpuMs(tree)) - cpuBefore) / 20 });
} finally {
  await service.stop();
}

async function timedStart(dataDir: string): Promise<number> {
  const started = performance.now();
  const running = await startService({ dataDir, env });
  const ms = performance.now() - started;
  await running.stop();
  return ms;
}
