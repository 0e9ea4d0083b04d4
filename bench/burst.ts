import { z } from 'zod';
import { isSettled } from '#src/domain/file-state.ts';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { startService } from '#test/support/service.ts';
import { formOf, inParallel, print, seller, send } from './support/client.ts';
import { cpuMs, processTree, watchPeak } from './support/processes.ts';

/**
 * N uploads of 4.8 MB at once by N sellers (`respond-async`): all end as ready, none fails, and the memory of all
 * processes stays bounded. `node bench/burst.ts [uploads]`
 */
const count = Number(process.argv[2] ?? 50);
const photoState = z.object({ id: z.string(), state: z.enum(FILE_STATES) });

const service = await startService({ env: { LOG_LEVEL: 'error' } });
try {
  const sellers = await Promise.all(
    Array.from({ length: count }, (_, index) => seller(service.url, `seller-${index}`)),
  );
  const forms: ReturnType<typeof formOf>[] = [];
  for (let index = 0; index < count; index++) forms.push(formOf(await largePhoto(index)));
  const peak = watchPeak(service.pid);
  const cpuBefore = await cpuMs(await processTree(service.pid));
  const started = performance.now();
  const ids: string[] = [];
  let refused = 0;
  await inParallel(count, count, async (index) => {
    const form = forms[index];
    const { authorization = '', itemId = '' } = sellers[index] ?? {};
    if (form === undefined) return;
    const headers = { authorization, 'content-type': form.contentType, prefer: 'respond-async' };
    const answer = await send('POST', `${service.url}/v1/items/${itemId}/photos`, headers, form.body).catch(
      () => null,
    );
    if (answer?.status === 202 || answer?.status === 201)
      ids[index] = photoState.parse(JSON.parse(answer.body)).id;
    else refused++;
  });
  const acceptedMs = performance.now() - started;
  const states = await Promise.all(
    ids.map((id, index) => untilSettled(id, sellers[index]?.authorization ?? '')),
  );
  const doneMs = performance.now() - started;
  const cpu = (await cpuMs(await processTree(service.pid))) - cpuBefore;
  print(`burst-${count}x5mb`, {
    ready: states.filter((state) => state === 'ready').length,
    refused,
    failed: states.filter((state) => state !== 'ready').length,
    accepted_s: acceptedMs / 1000,
    all_ready_s: doneMs / 1000,
    cpu_ms_per_photo: cpu / count,
    peak_pss_mb: await peak.stop(),
    bound_mb: '1200',
  });
} finally {
  await service.stop();
}

async function untilSettled(id: string, authorization: string): Promise<string> {
  for (;;) {
    const answer = await send('GET', `${service.url}/v1/photos/${id}`, { authorization });
    const { state } = photoState.parse(JSON.parse(answer.body));
    if (isSettled(state)) return state;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
