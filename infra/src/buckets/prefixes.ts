/** Heads of the audit ledger, outside the database: written once, never removed. */
export const LEDGER_PREFIX = 'audit/';
export const DOCUMENTS_PREFIX = 'verification/documents/';
