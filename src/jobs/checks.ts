import { z } from 'zod';
import { type ErrorCode, isStorageError, StorageError } from '../domain/errors.ts';
import type { ModerationResult, Moderator } from '../ports/moderator.ts';
import type { ScanResult } from '../ports/scanner.ts';
import { findDistrust } from '../db/scanner-canaries.ts';
import { isBelieved } from '../domain/canary.ts';
import type { JobDeps } from './deps.ts';

const scanResult = z.object({
  verdict: z.enum(['clean', 'infected']),
  signature: z.string().nullable(),
  scanner: z.string(),
  version: z.string(),
});

const label = z.object({
  label: z.string().max(200),
  confidence: z.number().min(0).max(1),
  region: z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() }).nullable(),
  model: z.string(),
  version: z.string(),
});

const moderationResult: z.ZodType<ModerationResult> = z.object({
  verdict: z.enum(['publish', 'review', 'reject']),
  labels: z.array(label.extend({ outcome: z.enum(['review', 'reject']), threshold: z.number() })),
  scores: z.array(label),
  moderator: z.string(),
  versions: z.record(z.string(), z.string()),
  policy: z.object({ name: z.string(), version: z.string() }),
});

type CheckDeps = Pick<JobDeps, 'scanner' | 'moderator' | 'checkTimeoutMs'>;

/**
 * Has the bytes scanned. Anything but a clear answer in time, by a scanner whose canary lives, is SCANNER_UNAVAILABLE: "not
 * yet", never "clean".
 */
export async function scanBytes(
  deps: CheckDeps & Pick<JobDeps, 'db'>,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<ScanResult> {
  const result = await scanAnswer(deps, bytes, signal);
  const distrust = await findDistrust(deps.db, deps.scanner.identity);
  if (isBelieved(result.verdict, distrust)) return result;
  throw new StorageError('SCANNER_UNAVAILABLE', undefined, {
    details: { reason: `its canary: ${distrust}` },
  });
}

/** What the scanner says, whether or not it is to be believed. Errors as those of `scanBytes`. */
export async function scanAnswer(
  deps: CheckDeps,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<ScanResult> {
  return answered('SCANNER_UNAVAILABLE', deps.checkTimeoutMs, signal, async (limited) =>
    scanResult.parse(await deps.scanner.scan(bytes, limited)),
  );
}

/**
 * What the uploader is told of a file that is not clean. The built-in scanner finds foreign parts, which are no proof of
 * harm; any other names malware.
 */
export function malwareRefusal(result: ScanResult, kind: 'photo' | 'document'): StorageError {
  const message = result.signature?.startsWith('Basic.')
    ? `Something that is not part of a ${kind} is hidden in this file.`
    : 'Malware was found in this file.';
  return new StorageError('MALWARE_FOUND', message, { details: { found: result.signature } });
}

/** Has a photo judged. Anything but a clear answer in time is MODERATOR_UNAVAILABLE. */
export async function judgePhoto(
  deps: CheckDeps,
  photo: Parameters<Moderator['moderate']>[0],
  signal: AbortSignal,
): Promise<ModerationResult> {
  return answered('MODERATOR_UNAVAILABLE', deps.checkTimeoutMs, signal, async (limited) =>
    moderationResult.parse(await deps.moderator.moderate(photo, limited)),
  );
}

/** Errors: ABORTED by the signal, what may be tried again as it is, else `code`. */
async function answered<T>(
  code: ErrorCode,
  limitMs: number,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(limited.reason);
  limited.addEventListener('abort', end, { once: true });
  try {
    limited.throwIfAborted();
    // An adapter that does not listen to the signal is not waited for.
    return await Promise.race([ask(limited), ended.promise]);
  } catch (error) {
    if (signal.aborted) throw new StorageError('ABORTED', undefined, { cause: error });
    if (isStorageError(error) && error.retryable) throw error;
    throw new StorageError(code, undefined, { cause: error });
  } finally {
    limited.removeEventListener('abort', end);
  }
}
