import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '#src/domain/access.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { type FileId, fileId } from '#src/domain/ids.ts';
import type { App } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { clientSignal } from '../preferences.ts';
import { problems } from '../responses.ts';
import { PhotoParams } from '../schemas.ts';
import { TUS_PATH, type TusUploads } from '../tus/uploads.ts';
import type { UploadContext } from '../upload-answer.ts';

/**
 * The tus protocol over a reservation. In a scope of its own without body parsers, so that the stream reaches tus
 * untouched; no GET, which would serve uploaded bytes; no POST, since the reservation is the creation.
 */
export function tusRoutes(
  app: App,
  { files, uploads, tus }: UploadContext & { readonly tus: TusUploads },
): void {
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));

    scope.options(TUS_PATH, { config: { open: true }, schema: { hide: true } }, async (request, reply) => {
      reply.hijack();
      await tus.handle({ userId: 'nobody', roles: [] }, request.id, request.raw, reply.raw);
    });

    const options = {
      preHandler: async (request: TusRequest) => assertOwner(files, callerOf(request), idOf(request)),
      handler: async (request: TusRequest, reply: FastifyReply) => {
        const release = request.method === 'PATCH' ? await uploads.slot(clientSignal(reply)) : null;
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined && name !== 'content-type') reply.raw.setHeader(name, value);
        reply.hijack();
        await tus.handle(callerOf(request), request.id, request.raw, reply.raw).finally(release);
      },
    };
    const url = `${TUS_PATH}/:id`;
    for (const { method, ...schema } of OPERATIONS)
      scope.route({ method: [method], url, schema: { ...COMMON, ...schema }, ...options });
    scope.route({ method: 'OPTIONS', url, schema: { params: PhotoParams, hide: true }, ...options });
  });
}

type TusRequest = FastifyRequest<{ Params: { id: string } }>;

const COMMON = {
  tags: ['Uploads in two steps'],
  description: 'The tus protocol, version 1.0.0.',
  params: PhotoParams,
  response: problems(
    'FORBIDDEN',
    'NOT_FOUND',
    'CONFLICT',
    'UPLOAD_EXPIRED',
    'FILE_TOO_LARGE',
    'UPLOAD_MISMATCH',
  ),
};
const OPERATIONS = [
  {
    method: 'HEAD',
    operationId: 'getUploadOffset',
    summary: 'How many bytes of a resumable upload are here',
    sends: ['Tus-Resumable'],
    answers: {
      200: {
        description: 'Where to go on.',
        headers: ['Upload-Offset', 'Upload-Length', 'Tus-Resumable'],
        content: null,
      },
    },
  },
  {
    method: 'PATCH',
    operationId: 'appendUpload',
    summary: 'Add bytes to a resumable upload',
    sends: ['Tus-Resumable', 'Upload-Offset'],
    answers: {
      204: { description: 'They are here.', headers: ['Upload-Offset', 'Tus-Resumable'], content: null },
    },
  },
  {
    method: 'DELETE',
    operationId: 'abandonUpload',
    summary: 'Give up a resumable upload and its reservation',
    sends: ['Tus-Resumable'],
    answers: { 204: { description: 'It is gone.', headers: ['Tus-Resumable'], content: null } },
  },
] as const;

/** The caller's pending reservation; or its finished upload, which a client may ask for when it lost the answer. */
async function assertOwner(files: UploadContext['files'], who: Principal, id: FileId): Promise<void> {
  try {
    await files.getReservation(who, id);
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error;
    const photo = await files.getPhoto(who, id);
    if (photo.ownerId !== who.userId && !who.roles.includes('service')) throw error;
  }
}

function idOf(request: TusRequest): FileId {
  return fileId(request.params.id);
}
