import { StorageError } from './errors.ts';
import { type FileKind, type FileState, isPublic } from './file-state.ts';

export const ROLES = ['seller', 'moderator', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. `null` stands for somebody without a token. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly Role[];
}

export type FileAction =
  /** See state, reason, variants. */
  | 'read'
  /** Read the bytes of a file that is not public. */
  | 'read_content'
  /** Alt text, order. */
  | 'edit'
  | 'delete'
  | 'appeal'
  /** Have an archived original brought back. */
  | 'restore'
  /** Approve, reject, take down; never by the owner. */
  | 'decide'
  /** Tell moderators that something is wrong with it. */
  | 'report';

/** The facts of a file that access depends on. */
export interface FileFacts {
  readonly kind: FileKind;
  readonly ownerId: string;
  readonly state: FileState;
}

export type ItemStatus = 'draft' | 'active' | 'sold' | 'withdrawn';

export type ItemAction = 'add_photo' | 'edit' | 'delete' | 'see_all_photos';

/**
 * The one function that decides access to a file (design §3, promise 8). Public photos are readable by anybody;
 * otherwise by owner, moderators, admins and services. Identity documents are never public: owner and moderators
 * may read the content; a service may not.
 */
export function mayAccessFile(who: Principal | null, action: FileAction, file: FileFacts): boolean {
  const isOwner = who !== null && who.userId === file.ownerId;
  const isStaff = has(who, 'moderator') || has(who, 'admin');
  const isDocument = file.kind === 'verification_document';
  if (file.state === 'deleted') return false;
  switch (action) {
    case 'read':
      return (
        (!isDocument && isPublic(file.state)) || isOwner || isStaff || (has(who, 'service') && !isDocument)
      );
    case 'read_content':
      return isOwner || isStaff;
    case 'edit':
      return isOwner || has(who, 'admin') || (has(who, 'service') && !isDocument);
    case 'delete':
      return isOwner || has(who, 'admin') || has(who, 'service');
    case 'appeal':
      return isOwner && !isDocument;
    case 'restore':
      return isOwner || isStaff || (has(who, 'service') && !isDocument);
    // Nobody judges their own photo, whatever else they are.
    case 'decide':
      return isStaff && !isOwner && !isDocument;
    // One who acts for many would count as one, and a seller has other ways.
    case 'report':
      return who !== null && !isOwner && !has(who, 'service') && isPublic(file.state) && !isDocument;
  }
}

/** Whether the caller may see a listing and its gallery: drafts and withdrawn ones are for those who see all photos. */
export function maySeeItem(
  who: Principal | null,
  item: { readonly sellerId: string; readonly status: ItemStatus },
): boolean {
  return isOffered(item.status) || mayAccessItem(who, 'see_all_photos', item);
}

/** Whether buyers see it, without or with a price tag still on it. */
export function isOffered(status: ItemStatus): boolean {
  return status === 'active' || status === 'sold';
}

/** Which photos a search may find at all. */
export interface SearchScope {
  /** Those of everybody, in every state. */
  readonly all: boolean;
  /** Beside what is public: those of this owner, in every state. */
  readonly ownerId: string | null;
}

/**
 * The one function that decides what a search may look at: what is public, one's own, and for those who see all photos
 * (`mayAccessFile`) everything.
 */
export function searchScope(who: Principal | null): SearchScope {
  const seesAll = has(who, 'moderator') || has(who, 'admin') || has(who, 'service');
  return { all: seesAll, ownerId: who?.userId ?? null };
}

/** The one function that decides what may be done with a listing. */
export function mayAccessItem(
  who: Principal | null,
  action: ItemAction,
  item: { readonly sellerId: string },
): boolean {
  const isSeller = who !== null && who.userId === item.sellerId;
  switch (action) {
    case 'add_photo':
      return (isSeller && has(who, 'seller')) || has(who, 'service');
    case 'edit':
    case 'delete':
      return isSeller || has(who, 'admin') || has(who, 'service');
    case 'see_all_photos':
      return isSeller || has(who, 'moderator') || has(who, 'admin') || has(who, 'service');
  }
}

/**
 * What is done with the service as a whole rather than with one file, and who does it. Nothing of it belongs to an
 * owner, and the token of another service gives none of it: who holds that one acts for many people, so keeping the
 * place safe and its books straight is left to persons.
 */
const ADMIN_ACTIONS = {
  /** See the queue of photos that wait for a person. */
  read_review: ['moderator', 'admin'],
  /** Say what two photos that show the same are to each other. */
  decide_match: ['moderator', 'admin'],
  /** See pictures that may not be uploaded again. */
  read_banned: ['moderator', 'admin'],
  /** Let a banned picture be uploaded again. */
  unban: ['admin'],
  /** Sizes, counts, costs. */
  read_report: ['admin'],
  read_alerts: ['admin'],
  read_audit: ['admin'],
  verify_audit: ['admin'],
  /** Accept that a restore of the database has lost rows of the audit ledger. */
  accept_restore: ['admin'],
  /** Legal hold: place and lift. */
  hold: ['admin'],
  run_lifecycle: ['admin'],
  purge_cdn: ['admin'],
  warm_cdn: ['admin'],
  reconcile: ['admin'],
  scrub: ['admin'],
  backup: ['admin'],
  rotate_keys: ['admin'],
  /** Make the search index anew. */
  rebuild_search: ['admin'],
  /** Judge all photos again. */
  replay_moderation: ['admin'],
  /** See and cancel long work. */
  manage_runs: ['admin'],
} as const satisfies Record<string, readonly Role[]>;

export type AdminAction = keyof typeof ADMIN_ACTIONS;

/** The one function that decides what may be done with the service as a whole: admin routes and commands ask it. */
export function mayAdminister(who: Principal | null, action: AdminAction): boolean {
  return ADMIN_ACTIONS[action].some((role) => has(who, role));
}

/** @throws StorageError FORBIDDEN unless `mayAdminister` */
export function assertMayAdminister(who: Principal | null, action: AdminAction): void {
  if (mayAdminister(who, action)) return;
  throw new StorageError('FORBIDDEN', `This is for ${ADMIN_ACTIONS[action].join('s and ')}s.`);
}

/** @throws StorageError FORBIDDEN for the owner of one of two photos that are to be told apart: nobody judges their own. */
export function assertOwnsNeither(who: Principal, ownerIds: readonly string[]): void {
  if (!ownerIds.includes(who.userId)) return;
  throw new StorageError('FORBIDDEN', 'One of these two photos is yours: they are for another moderator.');
}

/** Whether the caller may act on a user's own things: profile photo, documents. */
export function mayActForUser(who: Principal | null, userId: string): boolean {
  return who !== null && (who.userId === userId || has(who, 'admin') || has(who, 'service'));
}

export function has(who: Principal | null, role: Role): boolean {
  return who?.roles.includes(role) ?? false;
}
