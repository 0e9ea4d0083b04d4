import { findFile } from '../../db/files.ts';
import { findItem } from '../../db/items.ts';
import { replaceModeration } from '../../db/moderation-replay.ts';
import { listFindings } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { isPublic } from '../../domain/file-state.ts';
import { withConfidence } from '../../domain/finding.ts';
import { decide, isHidden, type ModerationPolicy, policyVersion } from '../../domain/moderation-policy.ts';
import { POLICY } from '../../domain/review-case.ts';
import type { ModerationResult } from '../../ports/moderator.ts';
import type { ServiceDeps } from '../deps.ts';
import { doubt } from '../review/doubt.ts';
import { unapproved } from '../review/unapproved.ts';
import { moderationFindings } from './findings.ts';

export type RejudgeDeps = Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'deliverNow'> & {
  readonly policy: ModerationPolicy;
};

/**
 * Judges a public photo again, by what is stored of it, under the rules of the category that its listing has now; no model is
 * asked. What is doubtful by them, and nobody has approved, is put before a person. What waits or was refused stays so: a
 * seller publishes nothing by naming another category.
 */
export async function rejudge(deps: RejudgeDeps, fileId: string): Promise<void> {
  const file = await findFile(deps.db, fileId);
  if (file?.item_id == null || !isPublic(file.state)) return;
  const category = (await findItem(deps.db, file.item_id))?.category ?? null;
  const result = judgedAgain(deps.policy, file, category);
  const kept = (await listFindings(deps.db, [fileId])).get(fileId) ?? [];
  const contacts = kept.filter(({ source }) => source === 'contact').map(withConfidence);
  const doubts = [
    ...(result === null ? [] : moderationFindings(result)),
    ...decide(deps.policy, contacts, category).labels,
  ];
  const open = await unapproved(deps.db, fileId, doubts);
  const [first] = open;
  if (first === undefined) return;
  await doubt(deps, file, {
    source: first.source,
    findings: result === null ? [] : moderationFindings(result),
    isHidden: isHidden(deps.policy, open.map(withConfidence), category),
    by: { userId: POLICY, details: { category } },
    alongside: (trx) => keepVerdict(trx, deps, file, result),
  });
}

/** Null for a verdict from before scores were kept. */
function judgedAgain(
  policy: ModerationPolicy,
  file: FileRow,
  category: string | null,
): ModerationResult | null {
  const { moderation } = file;
  if (moderation?.scores === undefined) return null;
  const { scores, moderator, versions } = moderation;
  const by = { name: policy.name, version: policyVersion(policy) };
  return { ...decide(policy, scores, category), scores, moderator, versions, policy: by };
}

async function keepVerdict(
  trx: Db,
  { clock }: RejudgeDeps,
  file: FileRow,
  result: ModerationResult | null,
): Promise<boolean> {
  if (result === null) return true;
  return replaceModeration(trx, file, { result, analysis: null, at: clock.now(), runId: null });
}
