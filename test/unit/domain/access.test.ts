import { describe, expect, test } from 'vitest';
import {
  type AdminAction,
  assertMayAdminister,
  type FileAction,
  has,
  type ItemAction,
  type ItemStatus,
  mayAccessFile,
  mayAccessItem,
  mayActForUser,
  mayAdminister,
  maySeeItem,
  type Principal,
} from '#src/domain/access.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { FILE_KINDS, FILE_STATES, type FileKind, type FileState } from '#src/domain/file-state.ts';

const OWNER = 'owner';
const WHO = {
  nobody: null,
  owner: { userId: OWNER, roles: ['seller'] },
  seller: { userId: 'another', roles: ['seller'] },
  'without a role': { userId: 'plain', roles: [] },
  moderator: { userId: 'moderator', roles: ['moderator'] },
  admin: { userId: 'admin', roles: ['admin'] },
  service: { userId: 'backend', roles: ['service'] },
} as const satisfies Record<string, Principal | null>;
type Who = keyof typeof WHO;

const EVERYBODY: readonly Who[] = [
  'nobody',
  'owner',
  'seller',
  'without a role',
  'moderator',
  'admin',
  'service',
];
const PUBLIC: readonly FileState[] = ['published', 'ready'];
const NOBODY: readonly Who[] = [];

/** Who may, by what the design says of each action: photos that are public, photos that are not, documents. */
const EXPECTED: Readonly<Record<FileAction, Record<'public' | 'private' | 'document', readonly Who[]>>> = {
  // A gallery needs no token; owner and staff see every state; a service sees no identity document.
  read: {
    public: EVERYBODY,
    private: ['owner', 'moderator', 'admin', 'service'],
    document: ['owner', 'moderator', 'admin'],
  },
  // Bytes that are not public are for the owner and for those who judge.
  read_content: {
    public: ['owner', 'moderator', 'admin'],
    private: ['owner', 'moderator', 'admin'],
    document: ['owner', 'moderator', 'admin'],
  },
  // A moderator judges, and changes nothing of the listing.
  edit: {
    public: ['owner', 'admin', 'service'],
    private: ['owner', 'admin', 'service'],
    document: ['owner', 'admin'],
  },
  delete: {
    public: ['owner', 'admin', 'service'],
    private: ['owner', 'admin', 'service'],
    document: ['owner', 'admin', 'service'],
  },
  appeal: { public: ['owner'], private: ['owner'], document: NOBODY },
  // A buyer's zoom shows a rendition meanwhile; bringing the original back costs money.
  restore: {
    public: ['owner', 'moderator', 'admin', 'service'],
    private: ['owner', 'moderator', 'admin', 'service'],
    document: ['owner', 'moderator', 'admin'],
  },
  decide: { public: ['moderator', 'admin'], private: ['moderator', 'admin'], document: NOBODY },
  // Who acts for many would count as one; an owner removes the photo instead.
  report: { public: ['seller', 'without a role', 'moderator', 'admin'], private: NOBODY, document: NOBODY },
};

function expected(action: FileAction, kind: FileKind, state: FileState): readonly Who[] {
  if (state === 'deleted') return NOBODY;
  if (kind === 'verification_document') return EXPECTED[action].document;
  return EXPECTED[action][PUBLIC.includes(state) ? 'public' : 'private'];
}

/** All that there are: `EXPECTED` would not compile without one. */
const ACTIONS = Object.keys(EXPECTED).filter((action): action is FileAction => action in EXPECTED);

describe.each(ACTIONS)('%s', (action) => {
  describe.each(FILE_KINDS)('a file of kind %s', (kind) => {
    test.each(FILE_STATES)('in state %s', (state) => {
      const may = EVERYBODY.filter((who) => mayAccessFile(WHO[who], action, { kind, ownerId: OWNER, state }));
      expect(may).toEqual(expected(action, kind, state));
    });
  });
});

test('a moderator or an admin decides on no photo of their own', () => {
  const decides = (role: 'moderator' | 'admin', ownerId: string) =>
    mayAccessFile({ userId: 'me', roles: [role] }, 'decide', {
      kind: 'item_photo',
      ownerId,
      state: 'in_review',
    });
  for (const role of ['moderator', 'admin'] as const)
    expect([decides(role, 'me'), decides(role, OWNER)]).toEqual([false, true]);
});

test('a listing', () => {
  const may = (action: ItemAction) =>
    EVERYBODY.filter((who) => mayAccessItem(WHO[who], action, { sellerId: OWNER }));
  expect(may('add_photo')).toEqual(['owner', 'service']);
  expect(may('edit')).toEqual(['owner', 'admin', 'service']);
  expect(may('delete')).toEqual(['owner', 'admin', 'service']);
  expect(may('see_all_photos')).toEqual(['owner', 'moderator', 'admin', 'service']);
});

test('a listing that is not offered is seen by its seller and by staff', () => {
  const see = (status: ItemStatus) =>
    EVERYBODY.filter((who) => maySeeItem(WHO[who], { sellerId: OWNER, status }));
  for (const status of ['active', 'sold'] as const) expect(see(status)).toEqual(EVERYBODY);
  for (const status of ['draft', 'withdrawn'] as const)
    expect(see(status)).toEqual(['owner', 'moderator', 'admin', 'service']);
});

test('somebody who is no longer a seller adds no photos, also not to their own listing', () => {
  const former = { userId: OWNER, roles: [] };
  expect(mayAccessItem(former, 'add_photo', { sellerId: OWNER })).toBe(false);
  expect(mayAccessItem(former, 'delete', { sellerId: OWNER })).toBe(true);
});

test('what belongs to a user', () => {
  expect(EVERYBODY.filter((who) => mayActForUser(WHO[who], OWNER))).toEqual(['owner', 'admin', 'service']);
});

const ADMINISTERS: Readonly<Record<AdminAction, readonly Who[]>> = {
  read_review: ['moderator', 'admin'],
  decide_match: ['moderator', 'admin'],
  read_banned: ['moderator', 'admin'],
  unban: ['admin'],
  read_report: ['admin'],
  read_alerts: ['admin'],
  read_audit: ['admin'],
  verify_audit: ['admin'],
  accept_restore: ['admin'],
  hold: ['admin'],
  run_lifecycle: ['admin'],
  purge_cdn: ['admin'],
  warm_cdn: ['admin'],
  reconcile: ['admin'],
  scrub: ['admin'],
  backup: ['admin'],
  rotate_keys: ['admin'],
  rebuild_search: ['admin'],
  replay_moderation: ['admin'],
  manage_runs: ['admin'],
};

const isAdminAction = (name: string): name is AdminAction => Object.hasOwn(ADMINISTERS, name);

describe.each(Object.keys(ADMINISTERS).filter(isAdminAction))('the service as a whole: %s', (action) => {
  test('is for', () => {
    expect(EVERYBODY.filter((who) => mayAdminister(WHO[who], action))).toEqual(ADMINISTERS[action]);
  });

  test('is FORBIDDEN to all others', () => {
    const refused = EVERYBODY.filter((who) => {
      try {
        assertMayAdminister(WHO[who], action);
        return false;
      } catch (error) {
        return isStorageError(error, 'FORBIDDEN');
      }
    });
    expect(refused).toEqual(EVERYBODY.filter((who) => !ADMINISTERS[action].includes(who)));
  });
});

test('a role is held by its exact name', () => {
  expect(has(null, 'admin')).toBe(false);
  expect(has(WHO.moderator, 'admin')).toBe(false);
  expect(has({ userId: 'x', roles: ['seller', 'admin'] }, 'admin')).toBe(true);
});
