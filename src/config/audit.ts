import { integer, type Read } from './setting.ts';

export interface AuditConfig {
  /** How often the head of the chain is written to the object store. */
  readonly anchorMs: number;
  /** Whole months that entries are kept. */
  readonly retentionMonths: number;
}

export const AUDIT = {
  anchorMinutes: integer('AUDIT_ANCHOR_MINUTES', {
    description: 'Minutes between two anchors of the audit ledger in the object store.',
    default: 60,
    min: 1,
    max: 1440,
  }),
  retentionMonths: integer('AUDIT_RETENTION_MONTHS', {
    description: 'Months that entries of the audit ledger are kept, at least 13.',
    default: 84,
    min: 13,
    max: 1200,
  }),
};

export function readAudit(read: Read): AuditConfig {
  return {
    anchorMs: read(AUDIT.anchorMinutes) * 60_000,
    retentionMonths: read(AUDIT.retentionMonths),
  };
}
