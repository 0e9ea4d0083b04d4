import { findFile, lockFile } from '../db/files.ts';
import { findItem } from '../db/items.ts';
import { addFindings } from '../db/review-cases.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { endText, isTextWaiting } from '../db/text-reads.ts';
import { listVariants } from '../db/variants.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { isPublic } from '../domain/file-state.ts';
import { type Finding, withConfidence } from '../domain/finding.ts';
import { decide, isHidden } from '../domain/moderation-policy.ts';
import { POLICY } from '../domain/review-case.ts';
import type { JobContext, JobPayloads } from '../ports/job-queue.ts';
import type { PhotoText } from '../ports/text-reader.ts';
import { contactFindings } from '../services/moderation/contact-findings.ts';
import { doubt } from '../services/review/doubt.ts';
import { unapproved } from '../services/review/unapproved.ts';
import { readProven } from '../services/storage/proven.ts';
import type { JobDeps } from './deps.ts';

/**
 * Reads text and codes of a photo that is public, and keeps ways to reach somebody as findings. What the policy has doubts
 * about is put into the review queue; the photo stays public meanwhile, unless the policy hides it. What a person knew when they approved the photo is not
 * asked about again. Whatever goes wrong is tried again, then noted: nothing else waits for it.
 */
export async function readText(
  deps: JobDeps,
  { fileId, generation }: JobPayloads['read-text'],
  context: JobContext,
): Promise<void> {
  const file = await findFile(deps.db, fileId);
  if (file === null || file.generation !== generation || !isPublic(file.state)) return;
  if (deps.textReader === null || !(await isTextWaiting(deps.db, fileId))) return;
  if (context.isExhausted) return giveUp(deps, file, new StorageError('PROCESSING_FAILED'));
  try {
    const bytes = await readable(deps, file, context.signal);
    await keep(deps, file, await deps.textReader.read(bytes, context.signal));
  } catch (error) {
    const mayHelp = isStorageError(error) && error.retryable && !context.isLastAttempt;
    if (mayHelp || context.signal.aborted) throw error;
    await giveUp(deps, file, error);
  }
}

/** The 1200 px rendition: what people see of a photo. A profile photo has only its original. */
async function readable(deps: JobDeps, file: FileRow, signal: AbortSignal): Promise<Uint8Array> {
  const variants = await listVariants(deps.db, [file.id]);
  const seen =
    variants.find(({ name, format }) => name === 'large' && format === 'jpeg') ??
    variants.find(({ name }) => name === 'original');
  if (seen === undefined) throw new StorageError('NOT_FOUND');
  return (await readProven(deps.storage, seen, signal)).bytes;
}

async function keep(deps: JobDeps, file: FileRow, text: PhotoText): Promise<void> {
  const item = file.item_id === null ? null : await findItem(deps.db, file.item_id);
  const category = item?.category ?? null;
  const findings = contactFindings(text);
  const doubts = decide(deps.policy, findings.map(withConfidence), category).labels;
  const open = await unapproved(deps.db, file.id, doubts);
  const { lines, codes, versions } = text;
  const end = { outcome: 'read', lines: lines.length, codes: codes.length, versions } as const;
  const note = (trx: Db) => endText(trx, file.id, end);
  if (open.length === 0) return keepFindings(deps, file, { findings, note });
  await doubt(deps, file, {
    source: 'contact',
    findings,
    isHidden: isHidden(deps.policy, open, category),
    by: { userId: POLICY },
    alongside: note,
  });
}

/** Of what asks nobody. */
async function keepFindings(
  { db }: JobDeps,
  file: FileRow,
  read: { readonly findings: readonly Finding[]; readonly note: (trx: Db) => Promise<boolean> },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const locked = await lockFile(trx, file.id);
    const isLate = locked?.generation !== file.generation || !isPublic(locked.state);
    if (!isLate && (await read.note(trx))) await addFindings(trx, file.id, read.findings);
  });
}

async function giveUp(deps: JobDeps, file: FileRow, error: unknown): Promise<void> {
  deps.log.error({ err: error, fileId: file.id }, 'the text of a photo could not be read');
  const known = isStorageError(error) ? error : new StorageError('INTERNAL');
  const reason = known.details['reason'];
  const note = typeof reason === 'string' ? `${known.code}: ${reason}` : known.code;
  await endText(deps.db, file.id, { outcome: 'given_up', note });
}
