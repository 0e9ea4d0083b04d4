/**
 * Whether the original of a file can be read at once. none: yes · archived: it lies in an archive class · restoring: it
 * is being brought back. Only originals of item photos and identity documents are archived. The database refuses any
 * other order: none → archived → restoring → none.
 */
export const ARCHIVE_STATES = ['none', 'archived', 'restoring'] as const;
export type ArchiveState = (typeof ARCHIVE_STATES)[number];
