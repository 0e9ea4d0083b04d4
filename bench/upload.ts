import { z } from 'zod';
import { DEFAULT_ENCODER, planVariants } from '#src/domain/renditions.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { startService } from '#test/support/service.ts';
import { benchEngine } from './support/engine.ts';
import { formOf, median, print, seller, send } from './support/client.ts';

/**
 * One 4.8 MB photo into an idle service, until its uploader has a public URL, against the bare image work that this
 * needs: decode, models, original. In turns, so that both see the same machine. `node bench/upload.ts [rounds]`
 */
const rounds = Number(process.argv[2] ?? 7);
const published = z.object({ state: z.enum(['published', 'ready']), id: z.string() });

const engine = benchEngine();
const service = await startService({ env: { IMAGE_IDLE_MS: '600000', LOG_LEVEL: 'error' } });
const { authorization, itemId } = await seller(service.url, 'bench');
const uploads: number[] = [];
const bare: number[] = [];
try {
  for (let round = -1; round < rounds; round++) {
    const bareMs = await bareWork(await largePhoto(1000 + round));
    const uploadMs = await oneUpload(await largePhoto(2000 + round));
    if (round < 0) continue; // the first turn warms both
    bare.push(bareMs);
    uploads.push(uploadMs);
  }
  print('upload-5mb-to-public-url', {
    ms_median: median(uploads),
    ms_min: Math.min(...uploads),
    ms_max: Math.max(...uploads),
  });
  print('bare-decode-models-original', {
    ms_median: median(bare),
    ms_min: Math.min(...bare),
    ms_max: Math.max(...bare),
  });
  print('upload-5mb/bare', {
    ratio: median(uploads.map((ms, index) => ms / (bare[index] ?? Number.NaN))),
    bound: '1.25',
  });
} finally {
  await engine.close();
  await service.stop();
}

async function bareWork(photo: Uint8Array): Promise<number> {
  const started = performance.now();
  const image = await engine.open(photo, { kind: 'item_photo' });
  await image.analyse();
  const [original] = planVariants('item_photo', false, DEFAULT_ENCODER);
  if (original !== undefined) await image.encode(original);
  const ms = performance.now() - started;
  await image.close();
  return ms;
}

async function oneUpload(photo: Uint8Array): Promise<number> {
  const { contentType, body } = formOf(photo);
  const started = performance.now();
  const answer = await send(
    'POST',
    `${service.url}/v1/items/${itemId}/photos`,
    { authorization, 'content-type': contentType, prefer: 'wait=30' },
    body,
  );
  const ms = performance.now() - started;
  if (answer.status !== 201)
    throw new Error(`Expected 201 for the upload but received ${answer.status}: ${answer.body}`);
  await untilReady(published.parse(JSON.parse(answer.body)).id);
  return ms;
}

async function untilReady(id: string): Promise<void> {
  for (;;) {
    const answer = await send('GET', `${service.url}/v1/photos/${id}`, { authorization });
    if (published.parse(JSON.parse(answer.body)).state === 'ready') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
