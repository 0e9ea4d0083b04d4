import { listApproved } from '../../db/review-cases.ts';
import type { Db } from '../../db/schema.ts';
import { beyondApproval } from '../../domain/approval.ts';
import type { Finding } from '../../domain/finding.ts';

/** Which of these findings of a file no person has approved. */
export async function unapproved<F extends Pick<Finding, 'source' | 'label' | 'details'>>(
  db: Db,
  fileId: string,
  findings: readonly F[],
): Promise<F[]> {
  return beyondApproval(findings, (await listApproved(db, [fileId])).get(fileId) ?? []);
}
