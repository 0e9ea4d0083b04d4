import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { App } from '../deps.ts';
import { UPLOAD_ANSWERS } from '../documented.ts';
import { callerOf } from '../identity.ts';
import { ifMatchVersion } from '../preferences.ts';
import { NO_CONTENT, problems, UPLOAD_PROBLEMS } from '../responses.ts';
import {
  FileIdParam,
  Format,
  Gallery,
  ItemParams,
  line,
  Photo,
  PhotoParams,
  SignedUrl,
  Variant,
} from '../schemas.ts';
import { answerUpload, type UploadContext } from '../upload-answer.ts';

/** An hour; the service may allow less. */
const MAX_URL_SECONDS = 3600;

/** Photos of a listing, and one photo by itself. */
export function photoRoutes(app: App, context: UploadContext): void {
  galleryRoutes(app, context);
  onePhotoRoutes(app, context);
}

function galleryRoutes(app: App, context: UploadContext): void {
  const { files } = context;
  const tags = ['Photos of a listing'];

  app.post(
    '/v1/items/:itemId/photos',
    {
      schema: {
        tags,
        operationId: 'uploadItemPhoto',
        summary: 'Upload one photo',
        sends: ['Prefer', 'Idempotency-Key'],
        answers: UPLOAD_ANSWERS,
        description:
          'multipart/form-data with the photo in the field `file`. `Prefer: wait=N` (default 10, at most 60) waits until it is public; `Prefer: respond-async` does not wait. With an `Idempotency-Key` the request may be repeated for 24 hours.',
        consumes: ['multipart/form-data'],
        params: ItemParams,
        response: { 201: Photo, 202: Photo, ...problems(...UPLOAD_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      const { code, photo } = await answerUpload(request, reply, context, (file, options) =>
        files.uploadItemPhoto(who, request.params.itemId, file, options),
      );
      return reply.code(code).send(photo);
    },
  );

  app.get(
    '/v1/items/:itemId/photos',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'getItemPhotos',
        summary: 'The gallery, in order',
        sends: ['If-None-Match'],
        answers: {
          200: { description: 'The photos, in order.', headers: ['ETag'] },
          304: { headers: ['ETag'] },
        },
        description: 'Without a token, or with somebody else’s, only what is public.',
        params: ItemParams,
        response: { 200: Gallery, 304: NO_CONTENT, ...problems('NOT_FOUND') },
      },
    },
    async (request, reply) => {
      const gallery = await files.getItemPhotos(request.who, request.params.itemId);
      const etag = galleryTag(gallery);
      reply.headers({ etag, 'cache-control': 'private, no-cache', vary: 'Authorization' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send(null);
      return reply.send(gallery);
    },
  );

  app.delete(
    '/v1/items/:itemId/photos',
    {
      schema: {
        tags,
        operationId: 'deleteItemPhotos',
        summary: 'Delete all photos of a listing',

        params: ItemParams,
        response: {
          200: z.object({ deleted: z.int() }),
          ...problems('FORBIDDEN', 'NOT_FOUND', 'LEGAL_HOLD'),
        },
      },
    },
    async (request) => ({
      deleted: await files.deleteItemPhotos(callerOf(request), request.params.itemId),
    }),
  );

  app.put(
    '/v1/items/:itemId/photos/order',
    {
      schema: {
        tags,
        operationId: 'reorderPhotos',
        summary: 'Put the photos in another order',
        sends: ['If-Match'],
        description:
          'Names every placed photo once. With `If-Match: "<version>"` it is refused when the gallery has changed since.',
        params: ItemParams,
        body: z.object({ order: z.array(FileIdParam).max(1_000) }),
        response: {
          200: Gallery,
          ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'VERSION_CONFLICT'),
        },
      },
    },
    async (request) =>
      files.reorderPhotos(
        callerOf(request),
        request.params.itemId,
        request.body.order,
        ifMatchVersion(request),
      ),
  );
}

function onePhotoRoutes(app: App, { files }: UploadContext): void {
  const tags = ['Photos'];

  app.get(
    '/v1/photos/:id',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'getPhoto',
        summary: 'State and URLs of a photo',

        params: PhotoParams,
        response: { 200: Photo, ...problems('NOT_FOUND') },
      },
    },
    async (request) => files.getPhoto(request.who, request.params.id),
  );

  app.patch(
    '/v1/photos/:id',
    {
      schema: {
        tags,
        operationId: 'updatePhoto',
        summary: 'Describe a photo for people who cannot see it',

        params: PhotoParams,
        body: z.object({ alt: z.string().trim().max(1_000) }),
        response: { 200: Photo, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request) => files.setAlt(callerOf(request), request.params.id, request.body.alt),
  );

  app.delete(
    '/v1/photos/:id',
    {
      schema: {
        tags,
        operationId: 'deletePhoto',
        summary: 'Delete a photo and everything made of it',

        params: PhotoParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND', 'LEGAL_HOLD') },
      },
    },
    async (request, reply) => {
      await files.deletePhoto(callerOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/photos/:id/appeal',
    {
      config: { costly: true },
      schema: {
        tags,
        operationId: 'appealPhoto',
        summary: 'Ask a person to look at a refused photo again',

        params: PhotoParams,
        body: z.object({ message: line(2_000) }),
        response: {
          200: Photo,
          ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'ILLEGAL_TRANSITION'),
        },
      },
    },
    async (request) => files.appeal(callerOf(request), request.params.id, request.body.message),
  );

  app.post(
    '/v1/photos/:id/restore',
    {
      schema: {
        tags,
        operationId: 'restorePhoto',
        summary: 'Bring an archived original back',
        description: 'It may take hours; `archive` of the photo tells. Asked again it is a success.',
        params: PhotoParams,
        response: { 202: Photo, ...problems('FORBIDDEN', 'NOT_FOUND', 'STORAGE_UNAVAILABLE') },
      },
    },
    async (request, reply) =>
      reply.code(202).send(await files.restorePhoto(callerOf(request), request.params.id)),
  );

  app.post(
    '/v1/photos/:id/signed-url',
    {
      config: { costly: true },
      schema: {
        tags,
        operationId: 'createSignedUrl',
        summary: 'A URL that works for a while, also for a photo that is not public',

        params: PhotoParams,
        body: z.object({
          variant: Variant.default('original'),
          format: Format.nullable().default(null),
          expiresIn: z.int().min(1).max(MAX_URL_SECONDS).default(300).meta({ description: 'Seconds.' }),
        }),
        response: {
          200: SignedUrl,
          ...problems('FORBIDDEN', 'NOT_FOUND', 'OBJECT_ARCHIVED', 'UNSUPPORTED'),
        },
      },
    },
    async (request) => files.getPhotoUrl(callerOf(request), request.params.id, request.body),
  );
}

/** The version, which If-Match may name, and what the caller sees of the photos. */
function galleryTag(gallery: { readonly version: number; readonly photos: readonly object[] }): string {
  const hash = createHash('sha1').update(JSON.stringify(gallery.photos)).digest('hex').slice(0, 16);
  return `"${gallery.version}-${hash}"`;
}
