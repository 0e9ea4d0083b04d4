import { z } from 'zod';
import { StorageError } from '#src/domain/errors.ts';
import { parseUploadKey } from '#src/domain/keys.ts';
import type { App, HttpDeps } from '../deps.ts';
import { announcedBody } from '../announced-body.ts';
import { UPLOAD_ANSWERS } from '../documented.ts';
import { callerOf } from '../identity.ts';
import { receiveFile } from '../incoming-file.ts';
import { clientSignal, waitPreference } from '../preferences.ts';
import { NO_CONTENT, problems, UPLOAD_PROBLEMS } from '../responses.ts';
import { ItemIdParam, Photo, PhotoParams, Reservation } from '../schemas.ts';
import { describeAnswer, type UploadContext } from '../upload-answer.ts';
import { TUS_PATH } from '../tus/uploads.ts';

const ReserveBody = z.object({
  kind: z.enum(['item_photo', 'profile_photo']),
  itemId: ItemIdParam.exactOptional(),
  filename: z.string().max(1_000),
  bytes: z.int().min(1),
  type: z.string().max(200),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is SHA-256 in hex')
    .exactOptional(),
});

/** Uploads in two steps: reserve a place, bring the bytes by form or by tus, then say that they are there. */
export function uploadRoutes(
  app: App,
  context: UploadContext & Pick<HttpDeps, 'signedStore' | 'publicUrl'>,
): void {
  const { files, uploads, maxFileSize, publicUrl } = context;
  const tags = ['Uploads in two steps'];

  app.post(
    '/v1/uploads',
    {
      schema: {
        tags,
        operationId: 'reserveUpload',
        summary: 'Reserve an upload',
        answers: { 201: { description: 'A place for the bytes.', headers: ['Location'] } },
        description: 'Then send the bytes to `direct` as a form, or to `tus` resumably, and complete it.',
        body: ReserveBody,
        response: {
          201: Reservation,
          ...problems(
            'FORBIDDEN',
            'NOT_FOUND',
            'FILE_TOO_LARGE',
            'UNSUPPORTED_TYPE',
            'RATE_LIMITED',
            'QUOTA_EXCEEDED',
          ),
        },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      if (request.body.bytes > maxFileSize)
        throw new StorageError('FILE_TOO_LARGE', `A file has at most ${maxFileSize} bytes.`);
      assertAccepted(request.body.type);
      await uploads.count({ request, reply }, who.userId, request.body.bytes);
      const { id, direct } = await files.reserveUpload(who, request.body);
      reply.header('location', `/v1/photos/${id}`);
      return reply.code(201).send({ id, direct, tus: { url: `${publicUrl()}${TUS_PATH}/${id}` } });
    },
  );

  app.post(
    '/v1/uploads/:id/complete',
    {
      schema: {
        tags,
        operationId: 'completeUpload',
        summary: 'The bytes are there',
        sends: ['Prefer'],
        answers: UPLOAD_ANSWERS,
        description: 'May be repeated. `Prefer` as with a direct upload.',
        params: PhotoParams,
        response: {
          201: Photo,
          202: Photo,
          ...problems(...UPLOAD_PROBLEMS, 'UPLOAD_INCOMPLETE', 'UPLOAD_EXPIRED'),
        },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      const options = { waitMs: waitPreference(request, reply), signal: clientSignal(reply) };
      const answer = await files.completeUpload(who, request.params.id, options);
      return reply.code(describeAnswer(reply, answer)).send(answer.photo);
    },
  );

  if (context.signedStore !== null) formRoute(app, { ...context, signedStore: context.signedStore });
}

/** What phones call the photos that are taken in; some say nothing. In the end the bytes decide. */
const CLAIMED_TYPES = /^(image\/(jpe?g|pjpeg|png|webp|avif|hei[cf](-sequence)?)|application\/octet-stream|)$/;

function assertAccepted(claimed: string): void {
  const type = claimed.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!CLAIMED_TYPES.test(type))
    throw new StorageError('UNSUPPORTED_TYPE', 'Only JPEG, PNG, WebP, HEIC and AVIF photos are taken in.');
}

/** What the bucket does on S3: takes a signed form, without a token. */
function formRoute(
  app: App,
  {
    files,
    uploads,
    maxFileSize,
    signedStore,
  }: UploadContext & { signedStore: NonNullable<HttpDeps['signedStore']> },
): void {
  app.post(
    '/v1/uploads/form',
    {
      config: { open: true },
      schema: {
        tags: ['Uploads in two steps'],
        operationId: 'sendUploadForm',
        summary: 'Send the bytes as the signed form of a reservation',

        description: 'multipart/form-data: the fields of `direct` first, then the field `file`.',
        consumes: ['multipart/form-data'],
        response: {
          204: NO_CONTENT,
          ...problems(
            'FORBIDDEN',
            'NOT_FOUND',
            'FILE_TOO_LARGE',
            'UNSUPPORTED_TYPE',
            'UPLOAD_MISMATCH',
            'BUSY',
          ),
        },
      },
    },
    async (request, reply) => {
      const signal = clientSignal(reply);
      await receiveFile(request, reply, { maxFileSize, uploads, signal }, async (file) => {
        const { key, maxBytes } = signedStore.verifyPostForm(file.fields);
        await files.receiveUpload(reservationOf(key), announcedBody(file.body, maxBytes), signal);
      });
      return reply.code(204).send(null);
    },
  );
}

/** The reservation that a temporary key belongs to. */
function reservationOf(key: string) {
  const id = parseUploadKey(key);
  if (id === null) throw new StorageError('FORBIDDEN');
  return id;
}
