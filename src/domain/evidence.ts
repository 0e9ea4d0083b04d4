/**
 * How far an original that a legal hold keeps is on its way out of the public prefixes. waiting: to be moved ·
 * restoring: it was archived, the store is bringing it back · moved: it lies in quarantine, and is read nowhere else ·
 * lost: neither the store nor a backup source has it any more.
 */
export const EVIDENCE_MOVE_STATES = ['waiting', 'restoring', 'moved', 'lost'] as const;
export type EvidenceMoveState = (typeof EVIDENCE_MOVE_STATES)[number];
