import { StorageError } from './errors.ts';

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** UUIDv7 of a file: a photo or a document. */
export type FileId = Branded<string, 'FileId'>;
/** A listing. Chosen by LocalEx's backend or by us: 1 to 64 of A–Z a–z 0–9 _ -. */
export type ItemId = Branded<string, 'ItemId'>;
/** The `sub` of a token: 1 to 64 of A–Z a–z 0–9 _ - . @ : |, not starting with a dot. */
export type UserId = Branded<string, 'UserId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ITEM_ID = /^[A-Za-z0-9_-]{1,64}$/;
const USER_ID = /^[A-Za-z0-9_|@:-][A-Za-z0-9_.@:|-]{0,63}$/;

export function isFileId(value: string): value is FileId {
  return UUID.test(value);
}
export function isItemId(value: string): value is ItemId {
  return ITEM_ID.test(value);
}
export function isUserId(value: string): value is UserId {
  return USER_ID.test(value);
}

/** Throws INVALID_REQUEST when the text is not the id of a file. */
export function fileId(value: string): FileId {
  if (!isFileId(value)) throw new StorageError('INVALID_REQUEST', 'A file id is a UUID in lower case.');
  return value;
}
/** Throws INVALID_REQUEST when the text is not the id of an item. */
export function itemId(value: string): ItemId {
  if (!isItemId(value))
    throw new StorageError('INVALID_REQUEST', 'An item id is 1 to 64 letters, digits, "_" or "-".');
  return value;
}
/** Throws INVALID_REQUEST when the text is not the id of a user. */
export function userId(value: string): UserId {
  if (!isUserId(value))
    throw new StorageError('INVALID_REQUEST', 'A user id is 1 to 64 letters, digits or any of _ - . @ : |');
  return value;
}
