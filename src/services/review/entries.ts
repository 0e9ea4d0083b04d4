import { recordAccesses } from '../../db/access-log.ts';
import { findItem } from '../../db/items.ts';
import { listAppeals } from '../../db/review.ts';
import { countReports } from '../../db/photo-reports.ts';
import { type CaseRow, type KeptFinding, listFindings } from '../../db/review-cases.ts';
import { filesOfCases } from '../../db/review-queue.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReviewEntry } from './contracts.ts';
import type { ServiceDeps } from '../deps.ts';
import { findViewKey, viewOf } from '../photos/one-photo.ts';

export type EntryDeps = Pick<ServiceDeps, 'db' | 'cdn' | 'clock' | 'limits'>;

/** How long the address of a view works for a moderator at most, in seconds. */
const VIEW_SECONDS = 3600;

/** What a moderator sees of these cases, in their order. A signed view is a private read: it is written down first. */
export async function entriesOf(
  deps: EntryDeps,
  who: Principal,
  cases: readonly CaseRow[],
): Promise<ReviewEntry[]> {
  const ids = cases.map((open) => open.file_id);
  const [files, appeals, findings, reports] = [
    await filesOfCases(deps.db, cases),
    await listAppeals(deps.db, ids),
    await listFindings(deps.db, ids),
    await countReports(
      deps.db,
      cases.map((open) => open.id),
    ),
  ];
  const entries: ReviewEntry[] = [];
  for (const open of cases) {
    const file = files.get(open.file_id);
    if (file === undefined) continue;
    const seen = findings.get(file.id) ?? [];
    const facts = { open, file, seen, appeal: appeals.get(file.id) ?? null };
    entries.push(await entryOf(deps, who, { ...facts, reports: reports.get(open.id) ?? [] }));
  }
  await recordViews(deps.db, who, entries);
  return entries;
}

async function recordViews(db: Db, who: Principal, entries: readonly ReviewEntry[]): Promise<void> {
  const viewable = entries.filter((entry) => entry.viewUrl !== null);
  await recordAccesses(
    db,
    viewable.map(({ photo }) => ({ userId: who.userId, action: 'photo.view', fileId: photo.id })),
  );
}

interface CaseFacts {
  readonly open: CaseRow;
  readonly file: FileRow;
  readonly seen: readonly KeptFinding[];
  readonly appeal: string | null;
  readonly reports: ReviewEntry['reports'];
}

async function entryOf(deps: EntryDeps, who: Principal, facts: CaseFacts): Promise<ReviewEntry> {
  const { open, file } = facts;
  const viewKey = isPublic(file.state) ? null : await findViewKey(deps.db, file);
  const item = file.item_id === null ? null : await findItem(deps.db, file.item_id);
  const seconds = Math.min(VIEW_SECONDS, deps.limits.signedUrlMaxSeconds);
  const until = new Date(deps.clock.now().getTime() + seconds * 1000);
  return {
    photo: await viewOf(deps, who, file),
    source: open.source,
    findings: findingsOf(file, facts.seen),
    item: item === null ? null : { id: item.id, title: item.title },
    labels: (file.moderation?.labels ?? []).map(({ label, confidence }) => ({ label, confidence })),
    scan: file.scan,
    reason: file.reason_message,
    viewUrl: viewKey === null ? null : deps.cdn.signedUrl(viewKey, until),
    appeal: facts.appeal,
    reports: facts.reports,
    claim: claimOf(open, who, deps.clock.now()),
    waitingSince: open.opened_at.toISOString(),
  };
}

function claimOf(open: CaseRow, who: Principal, now: Date): ReviewEntry['claim'] {
  if (open.claimed_until === null || open.claimed_until < now) return null;
  return { isYours: open.claimed_by === who.userId, until: open.claimed_until.toISOString() };
}

/** What was kept; of photos whose moderation was kept with the file only, its labels. */
export function findingsOf(file: FileRow, kept: readonly KeptFinding[]): Finding[] {
  const findings = kept.map(({ source, label, confidence, region, model, version, details }) => ({
    source,
    label,
    confidence,
    region,
    model,
    version,
    details,
  }));
  if (file.moderation === null || kept.some(({ source }) => source === 'moderation')) return findings;
  const { labels, moderator } = file.moderation;
  const labelled = labels.map(({ label, confidence }) => ({
    source: 'moderation' as const,
    label,
    confidence,
    region: null,
    model: moderator,
    version: null,
    details: {},
  }));
  return [...labelled, ...findings];
}
