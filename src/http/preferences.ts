import type { FastifyReply, FastifyRequest } from 'fastify';
import { StorageError } from '#src/domain/errors.ts';

const DEFAULT_WAIT_SECONDS = 10;
const MAX_WAIT_SECONDS = 60;

/**
 * How long the sender of an upload is willing to wait, in ms, from `Prefer: wait=N` or `respond-async` (RFC 7240);
 * what was honoured goes into Preference-Applied.
 */
export function waitPreference(request: FastifyRequest, reply: FastifyReply): number {
  const prefer = [request.headers['prefer'] ?? []].flat().join(',').toLowerCase();
  const preferences = prefer.split(/[,;]/).map((part) => part.trim());
  if (preferences.includes('respond-async')) {
    reply.header('preference-applied', 'respond-async');
    return 0;
  }
  const asked = preferences
    .map((part) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(part)?.[1])
    .find((seconds) => seconds);
  if (asked === undefined) return DEFAULT_WAIT_SECONDS * 1000;
  const seconds = Math.min(Number(asked), MAX_WAIT_SECONDS);
  reply.header('preference-applied', `wait=${seconds}`);
  return seconds * 1000;
}

/** The Idempotency-Key, 1 to 255 printable characters; INVALID_REQUEST for any other. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key))
    throw new StorageError('INVALID_REQUEST', 'Idempotency-Key is 1 to 255 printable ASCII characters.');
  return key;
}

/** The version that If-Match names: `7`, `"7"`, `W/"7"` or the ETag of the gallery, `"7-…"`. Null without one. */
export function ifMatchVersion(request: FastifyRequest): number | null {
  const header = request.headers['if-match']?.trim();
  if (header === undefined || header === '*') return null;
  const version = /^(?:W\/)?"?(\d{1,15})(?:-[0-9a-f]+)?"?$/.exec(header)?.[1];
  if (version === undefined)
    throw new StorageError('INVALID_REQUEST', 'If-Match is the version of the gallery, as in "7".');
  return Number(version);
}

/** Aborted when the client goes away before it has its answer. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
