import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '#src/domain/access.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { type FileId, fileId, type ItemId } from '#src/domain/ids.ts';
import type { FileEvents, FileManagementService } from '#src/services/contracts.ts';
import type { App } from '../deps.ts';
import { type Changes, listenForChanges } from '../changes.ts';
import { problems } from '../responses.ts';
import { ItemParams, Photo, PhotoParams } from '../schemas.ts';
import {
  createStreamLimits,
  MAX_STREAMS,
  MAX_STREAMS_PER_ADDRESS,
  MAX_STREAMS_PER_USER,
} from '../stream-limits.ts';

export interface EventDeps {
  readonly files: FileManagementService;
  readonly events: FileEvents;
  /** Aborted when the service shuts down: streams end then. */
  readonly closing: AbortSignal;
}

type Send = (event: string, data: object) => Promise<void>;

/**
 * Server-sent events. `photo` carries the photo as the caller may see it, `order` the version of a gallery whose
 * order or members changed, `deleted` the id of a photo that is no longer to be seen. A stream begins with the
 * present state, so a client that reconnects has missed nothing.
 */
export function eventRoutes(app: App, deps: EventDeps): void {
  const tags = ['Events'];
  const limits = createStreamLimits({
    total: MAX_STREAMS,
    perUser: MAX_STREAMS_PER_USER,
    perAddress: MAX_STREAMS_PER_ADDRESS,
  });

  const stream = async (
    request: FastifyRequest,
    reply: FastifyReply,
    filter: { fileId?: string; itemId?: string },
    follow: (changes: Changes, send: Send) => Promise<void>,
  ): Promise<void> => {
    const release = limits.take(
      request.who === null ? { address: request.ip } : { userId: request.who.userId },
    );
    const changes = listenForChanges(deps.events, filter, deps.closing);
    reply.raw.once('close', () => changes.end());
    let sequence = 0;
    try {
      await follow(changes, async (event, data) => {
        sequence += 1;
        if (reply.sse.isConnected) await reply.sse.send({ id: String(sequence), event, data });
      });
    } finally {
      changes.end();
      release();
    }
  };

  app.get(
    '/v1/photos/:id/events',
    {
      config: { open: true },
      sse: { kind: 'only' },
      schema: {
        tags,
        operationId: 'followPhoto',
        summary: 'Follow a photo through its stages',
        answers: { 200: { description: 'Events `photo` and `deleted`.', content: 'text/event-stream' } },
        params: PhotoParams,
        response: { ...problems('NOT_FOUND', 'RATE_LIMITED', 'BUSY') },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await stream(request, reply, { fileId: id }, (changes, send) =>
        followPhoto(deps, request.who, id, changes, send),
      );
    },
  );

  app.get(
    '/v1/items/:itemId/events',
    {
      config: { open: true },
      sse: { kind: 'only' },
      schema: {
        tags,
        operationId: 'followItem',
        summary: 'Follow all photos of a listing',
        answers: {
          200: { description: 'Events `photo`, `deleted` and `order`.', content: 'text/event-stream' },
        },
        params: ItemParams,
        response: { ...problems('NOT_FOUND', 'RATE_LIMITED', 'BUSY') },
      },
    },
    async (request, reply) => {
      const { itemId } = request.params;
      await stream(request, reply, { itemId }, (changes, send) =>
        followItem(deps, request.who, itemId, changes, send),
      );
    },
  );
}

async function followPhoto(
  { files }: EventDeps,
  who: Principal | null,
  id: FileId,
  changes: Changes,
  send: Send,
): Promise<void> {
  let last = '';
  // The first read may refuse: nothing is sent yet, so it is an ordinary problem.
  let photo = Photo.parse(await files.getPhoto(who, id));
  for (;;) {
    const text = JSON.stringify(photo);
    if (text !== last) await send('photo', photo);
    last = text;
    if ((await changes.next()) === 'ended') return;
    const seen = await visible(files, who, id);
    if (seen === null) return send('deleted', { id });
    photo = seen;
  }
}

async function followItem(
  { files }: EventDeps,
  who: Principal | null,
  itemId: ItemId,
  changes: Changes,
  send: Send,
): Promise<void> {
  const sent = new Map<string, string>();
  let version = -1;
  for (;;) {
    const gallery = await files.getItemPhotos(who, itemId).catch((error: unknown) => {
      if (version >= 0 && isStorageError(error, 'NOT_FOUND')) return null;
      throw error;
    });
    const photos = (gallery?.photos ?? []).map((photo) => Photo.parse(photo));
    const present = new Set(photos.map((photo) => photo.id));
    for (const id of sent.keys()) {
      if (present.has(id)) continue;
      const elsewhere = await visible(files, who, fileId(id));
      if (elsewhere !== null) photos.push(elsewhere);
      else {
        sent.delete(id);
        await send('deleted', { id });
      }
    }
    for (const photo of photos) {
      const text = JSON.stringify(photo);
      if (sent.get(photo.id) !== text) await send('photo', photo);
      sent.set(photo.id, text);
    }
    if (gallery === null) return;
    if (gallery.version !== version) await send('order', { version: gallery.version });
    version = gallery.version;
    if ((await changes.next()) === 'ended') return;
  }
}

async function visible(files: FileManagementService, who: Principal | null, id: FileId) {
  try {
    const photo = Photo.parse(await files.getPhoto(who, id));
    return photo.state === 'deleted' || photo.state === 'deleting' ? null : photo;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'FORBIDDEN')) return null;
    throw error;
  }
}
