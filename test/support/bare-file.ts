import { v7 } from 'uuid';
import { insertFile } from '#src/db/files.ts';
import type { Db, FileRow } from '#src/db/schema.ts';

type Bare = Pick<Parameters<typeof insertFile>[1], 'id' | 'kind' | 'itemId' | 'ownerId'>;

/** The row of a file that was reserved and has no bytes: a profile photo of a seller unless told. */
export function insertBareFile(db: Db, change: Partial<Bare> = {}): Promise<FileRow> {
  return insertFile(db, {
    id: v7(),
    kind: 'profile_photo',
    itemId: null,
    ownerId: 'seller',
    position: null,
    filename: 'x.jpg',
    claimedType: null,
    claimedBytes: null,
    claimedSha256: null,
    deadlineAt: new Date(Date.now() + 60_000),
    ...change,
  });
}
