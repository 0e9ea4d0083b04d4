import { z } from 'zod';
import type { ErrorCode } from '#src/domain/errors.ts';
import { PROBLEM_TYPE } from '#src/domain/problem.ts';
import { STATUS } from './problems.ts';
import { Problem } from './schemas.ts';

interface Documented {
  readonly description: string;
  readonly content: Record<string, { readonly schema: z.ZodType }>;
}

/** Any route of the API may answer with these. */
const COMMON: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'UNAUTHENTICATED',
  'INTERNAL',
  'DATABASE_UNAVAILABLE',
  'RATE_LIMITED',
];

/**
 * The problems a route documents, by status: `response: { 200: Photo, ...problems('NOT_FOUND') }`. The description
 * lists the codes, which a test compares with the closed list.
 */
export function problems(...codes: readonly ErrorCode[]): Record<number, Documented> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...COMMON, ...codes]))
    byStatus.set(STATUS[code], [...(byStatus.get(STATUS[code]) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      { description: list.join(', '), content: { [PROBLEM_TYPE]: { schema: Problem } } },
    ]),
  );
}

/** What an upload may be refused for while its sender waits. */
export const UPLOAD_PROBLEMS = [
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_IMAGE',
  'FILE_TOO_LARGE',
  'UNSUPPORTED_TYPE',
  'TOO_MANY_PIXELS',
  'MALWARE_FOUND',
  'CONTENT_REJECTED',
  'BANNED_IMAGE',
  'UPLOAD_MISMATCH',
  'PROCESSING_FAILED',
  'RATE_LIMITED',
  'QUOTA_EXCEEDED',
  'BUSY',
  'DEADLINE_EXCEEDED',
  'STORAGE_UNAVAILABLE',
  'STORAGE_FULL',
] as const satisfies readonly ErrorCode[];

/** A success without a body. */
export const NO_CONTENT = z.null().meta({ description: 'Done.' });
