import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { StorageError } from '#src/domain/errors.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { headersFor, type KeptAs, type PreparedHeaders, sendProblem } from './answers.ts';
import { isNotModified, requestedRange } from './conditions.ts';
import type { CachedObject } from './hot-cache.ts';

export type EdgeObject = CachedObject<PreparedHeaders>;

/**
 * Answers with an object in memory: whole, a part, or "not modified". One `writeHead` with fields made before,
 * one `end` with the buffer; nothing is awaited and nothing is copied.
 */
export function sendFromMemory(
  req: IncomingMessage,
  res: ServerResponse,
  object: EdgeObject,
  body: Buffer,
  kept: KeptAs,
): Sent {
  const plan = planAnswer(req, object, kept);
  if (plan.refused) return refuseRange(res, object);
  res.writeHead(plan.status, plan.headers);
  if (plan.status === 304 || req.method === 'HEAD') res.end();
  else if (plan.range === null) res.end(body);
  else res.end(body.subarray(plan.range.start, plan.range.end + 1));
  return sentBy(req, object, plan);
}

/** Answers with an object that is too large to keep, from the store, at the pace of the client. */
export async function sendFromStore(
  req: IncomingMessage,
  res: ServerResponse,
  object: EdgeObject,
  kept: KeptAs,
  store: ObjectStore,
): Promise<Sent> {
  const plan = planAnswer(req, object, kept);
  if (plan.refused) return refuseRange(res, object);
  if (plan.status === 304 || req.method === 'HEAD') {
    res.writeHead(plan.status, plan.headers).end();
    return sentBy(req, object, plan);
  }
  const { body } = await store.get(object.info.key, {
    ...(store.capabilities.supportsConditionalRead && { ifMatch: object.info.etag }),
    ...(plan.range !== null && { range: plan.range }),
  });
  res.writeHead(plan.status, plan.headers);
  await pipeline(body, res);
  return sentBy(req, object, plan);
}

/** What went out. */
export interface Sent {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** Of a part. */
  readonly rangeStart: number | null;
}

function sentBy(req: IncomingMessage, { info }: EdgeObject, { status, range }: AnswerPlan): Sent {
  const isBare = status === 304 || req.method === 'HEAD';
  const bytes = range === null ? info.bytes : range.end - range.start + 1;
  return { status, bytes: isBare ? 0 : bytes, rangeStart: range?.start ?? null };
}

interface AnswerPlan {
  readonly refused: boolean;
  readonly status: 200 | 206 | 304;
  readonly headers: string[];
  readonly range: { readonly start: number; readonly end: number } | null;
}

function planAnswer(req: IncomingMessage, object: EdgeObject, kept: KeptAs): AnswerPlan {
  const { headers } = req;
  const { prepared, info } = object;
  const ifNoneMatch = headers['if-none-match'];
  const ifModifiedSince = headers['if-modified-since'];
  if (
    (ifNoneMatch !== undefined || ifModifiedSince !== undefined) &&
    isNotModified({ ifNoneMatch, ifModifiedSince }, prepared.etag, info.modifiedAt)
  )
    return { refused: false, status: 304, headers: headersFor(prepared, kept, []), range: null };
  const range = requestedRange(headers.range, oneOf(headers['if-range']), prepared.etag, info.bytes);
  if (range === 'unsatisfiable') return { refused: true, status: 206, headers: [], range: null };
  if (range === null) return { refused: false, status: 200, headers: wholeHeaders(object, kept), range };
  const part = headersFor(prepared, kept, [
    'Content-Length',
    String(range.end - range.start + 1),
    'Content-Range',
    `bytes ${range.start}-${range.end}/${info.bytes}`,
  ]);
  return { refused: false, status: 206, headers: part, range };
}

/** `writeHead` takes the list as it is and does not write to it. */
function wholeHeaders({ prepared, info }: EdgeObject, kept: KeptAs): string[] {
  if (kept === prepared.plain) return prepared.whole;
  if (kept === prepared.negotiated) return prepared.wholeVary;
  return headersFor(prepared, kept, ['Content-Length', String(info.bytes)]);
}

function refuseRange(res: ServerResponse, object: EdgeObject): Sent {
  sendProblem(res, new StorageError('RANGE_NOT_SATISFIABLE'), [
    'Content-Range',
    `bytes */${object.info.bytes}`,
  ]);
  return { status: res.statusCode, bytes: 0, rangeStart: null };
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
