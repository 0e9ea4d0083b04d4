import type { RestorePoint } from './restores.ts';

/** What is wrong with the first bad row. */
export type AuditDamage =
  /** The row is not the one that was sealed: edited, or two were swapped. */
  | 'changed'
  /** The row is gone. */
  | 'removed'
  /** Rows and seals were written anew, so that they fit each other but not the anchor. */
  | 'rewritten'
  /** The chain ends before the last anchor. */
  | 'truncated'
  /** A row stands in the ledger that did not come there as rows do. */
  | 'added'
  /** A row waits for its seal for more than a minute: no sealer runs, or it cannot. */
  | 'unsealed'
  /** An anchor that was written, or what an accepted restore stands on, is not in the object store. */
  | 'anchor_missing';

export interface AuditProblem {
  readonly damage: AuditDamage;
  /** Of the first bad row in the chain; null for one that is not in it. */
  readonly seq: number | null;
  readonly entryId: number | null;
  readonly message: string;
}

export interface AuditVerdict {
  /** False: `problem` names the first bad row. */
  readonly ok: boolean;
  readonly problem: AuditProblem | null;
  /** Rows whose hashes were computed again. */
  readonly checked: number;
  /** Where it began, and how far the chain is as it was sealed. */
  readonly from: { readonly seq: number; readonly hash: string };
  readonly to: { readonly seq: number; readonly hash: string };
  /** Anchors of the object store that the chain was compared with. */
  readonly anchors: number;
  /** Anchors that the chain was not compared with, since an admin has accepted that a restore lost their rows. */
  readonly accepted: readonly RestorePoint[];
}

/** A verdict as the ledger's own entry has it: restores that were accepted by their keys. */
export function inShort({ ok, checked, problem, accepted }: AuditVerdict): Record<string, unknown> {
  return { ok, checked, problem, accepted: accepted.map(({ key }) => key) };
}
