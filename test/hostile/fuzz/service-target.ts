import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { isErrorCode } from '#src/domain/errors.ts';
import { verifyOutput } from '#src/images/verify.ts';
import { Photo, Problem } from '#src/http/schemas.ts';
import { startService } from '#test/support/service.ts';
import { REFUSALS } from './readers.ts';
import type { Target, Verdict } from './target.ts';

const LIMIT_MS = 60_000;
const POLL_MS = 50;
type Photo = z.output<typeof Photo>;

/** The started service, given a case as a seller would: over HTTP, until it is public and read again, or refused. */
export async function serviceTarget(): Promise<Target> {
  const service = await startService({
    env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '100000', IMAGE_PROCESSES: '1' },
  });
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${service.url}${path}`, { ...init, signal: AbortSignal.timeout(LIMIT_MS) });
  const post = (path: string, body: object, headers = {}) =>
    call(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const answer = await post('/dev/token', { sub: 'fuzz', roles: ['seller'] });
  const { token } = z.object({ token: z.string() }).parse(await answer.json());
  const headers = { authorization: `Bearer ${token}` };
  await post('/v1/items', { id: 'fuzz', title: 'Fuzz' }, headers);

  const settled = async (id: string): Promise<Photo> => {
    for (const started = Date.now(); ; await pause(POLL_MS)) {
      const photo = Photo.parse(await (await call(`/v1/photos/${id}`, { headers })).json());
      if (['ready', 'in_review', 'rejected', 'failed'].includes(photo.state)) return photo;
      if (Date.now() - started > LIMIT_MS) throw new Error(`the photo is still ${photo.state}`);
    }
  };
  const taken = async (id: string): Promise<Verdict> => {
    const photo = await settled(id);
    if (photo.state === 'failed') return { fault: `the photo failed: ${JSON.stringify(photo.reason)}` };
    const fault = photo.state === 'ready' ? await publicFault(photo) : null;
    await call(`/v1/photos/${id}`, { method: 'DELETE', headers });
    return fault === null ? { outcome: photo.state } : { fault };
  };

  return {
    name: 'service',
    async take(bytes) {
      const body = new FormData();
      body.append(
        'file',
        new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }),
        'fuzz.jpg',
      );
      try {
        const reply = await call('/v1/items/fuzz/photos', { method: 'POST', body, headers });
        if (reply.ok) return await taken(Photo.parse(await reply.json()).id);
        const { code } = Problem.parse(await reply.json());
        return isErrorCode(code) && REFUSALS.has(code)
          ? { outcome: code }
          : { fault: `${reply.status} ${code}` };
      } catch (error) {
        return { fault: `${String(error)}\n${service.output().slice(-2000)}` };
      }
    },
    async close() {
      await service.stop();
    },
  };
}

/** What is wrong with an object that everybody may read; null when all are ours. */
async function publicFault(photo: Photo): Promise<string | null> {
  for (const variant of Object.values(photo.variants))
    for (const [format, object] of Object.entries(variant?.formats ?? {})) {
      if (variant === undefined || object === undefined) continue;
      if (format !== 'jpeg' && format !== 'webp' && format !== 'png') return `an object of type ${format}`;
      const reply = await fetch(object.url);
      const { findings } = verifyOutput(await reply.bytes(), {
        format,
        width: variant.width,
        height: variant.height,
      });
      if (findings.length > 0) return `${object.url}: ${findings.join(', ')}`;
    }
  return null;
}
