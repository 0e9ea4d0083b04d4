/** Uploaded bytes, identity documents and the heads of the audit ledger: nobody but the service. */
export const PRIVATE_PREFIXES = ['temp/', 'quarantine/raw/', 'verification/', 'audit/'] as const;

/** Kept a second time in the other region: all but what is gone within a day anyway. */
export const REPLICATED_PREFIXES = ['items/', 'profiles/', 'quarantine/', 'verification/', 'audit/'] as const;

/** Heads of the audit ledger, outside the database: written once, never removed. */
export const LEDGER_PREFIX = 'audit/';
export const UPLOADS_PREFIX = 'temp/uploads/';
export const DOCUMENTS_PREFIX = 'verification/documents/';
