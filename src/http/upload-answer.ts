import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FileManagementService, IncomingFile, UploadOptions } from '#src/services/contracts.ts';
import type { Photo, UploadAnswer } from '#src/services/photo.ts';
import { callerOf } from './identity.ts';
import { receiveFile } from './incoming-file.ts';
import { clientSignal, idempotencyKey, waitPreference } from './preferences.ts';
import type { UploadLimits } from './upload-limits.ts';

/** What the routes that take files share. */
export interface UploadContext {
  readonly files: FileManagementService;
  readonly uploads: UploadLimits;
  readonly maxFileSize: number;
}

/**
 * Takes one multipart file: counts it, streams it to `take` and answers 201 with the photo, or 202 while work
 * goes on.
 */
export async function answerUpload(
  request: FastifyRequest,
  reply: FastifyReply,
  context: UploadContext,
  take: (file: IncomingFile, options: UploadOptions) => Promise<UploadAnswer>,
): Promise<{ code: 201 | 202; photo: Photo }> {
  const key = idempotencyKey(request);
  const waitMs = waitPreference(request, reply);
  const signal = clientSignal(reply);
  const { maxFileSize, uploads } = context;
  const { socket } = request.raw;
  const settle = await uploads.count(
    { request, reply },
    callerOf(request).userId,
    announced(request, maxFileSize),
  );
  const readBefore = socket.bytesRead;
  try {
    const answer = await receiveFile(request, reply, { ...context, signal }, (file) =>
      take(file, { waitMs, signal, ...(key !== undefined && { idempotencyKey: key }) }),
    );
    return { code: describeAnswer(reply, answer), photo: answer.photo };
  } finally {
    await settle(socket.bytesRead - readBefore);
  }
}

/** How many bytes a request brings at most: what is longer is refused, what does not say may be as long as any. */
function announced(request: FastifyRequest, maxFileSize: number): number {
  const said = Number(request.headers['content-length'] ?? maxFileSize);
  return Math.min(said, maxFileSize);
}

/** Where to find the photo, and when to look again. */
export function describeAnswer(reply: FastifyReply, answer: UploadAnswer): 201 | 202 {
  reply.header('location', `/v1/photos/${answer.photo.id}`);
  if (answer.status === 'created') return 201;
  reply.header('retry-after', '1');
  return 202;
}
