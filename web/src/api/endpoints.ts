import { call, callVoid, send } from './client.ts';
import type { Color } from '../../../src/domain/colors.ts';
import type { Orientation } from '../../../src/domain/photo-document.ts';
import {
  type FoundPhotos,
  FoundPhotosSchema,
  type Gallery,
  GallerySchema,
  type Item,
  ItemPageSchema,
  ItemSchema,
  type ItemStatus,
  type Photo,
  PhotoSchema,
  type Receipt,
  ReceiptSchema,
} from './schemas.ts';

const id = encodeURIComponent;

export interface ItemPage {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Listings, newest first. With `sellerId` only theirs; their own list also holds drafts and withdrawn ones. */
export function listItems(
  query: { sellerId?: string; after?: string },
  signal?: AbortSignal,
): Promise<ItemPage> {
  const search = new URLSearchParams({ limit: '24', ...query });
  return call(`/v1/items?${search.toString()}`, ItemPageSchema, { signal });
}
export function getItem(itemId: string, signal?: AbortSignal): Promise<Item> {
  return call(`/v1/items/${id(itemId)}`, ItemSchema, { signal });
}
export function createItem(item: { title: string; category?: string }): Promise<Item> {
  return call('/v1/items', ItemSchema, { method: 'POST', body: item });
}
export function updateItem(
  itemId: string,
  change: { title?: string; category?: string | null; status?: ItemStatus },
): Promise<Item> {
  return call(`/v1/items/${id(itemId)}`, ItemSchema, { method: 'PATCH', body: change });
}
export function deleteItem(itemId: string): Promise<void> {
  return callVoid(`/v1/items/${id(itemId)}`, { method: 'DELETE' });
}

export interface PhotoSearch {
  readonly q?: string;
  readonly color?: Color;
  readonly orientation?: Orientation;
}
export function searchPhotos(
  search: PhotoSearch & { readonly after?: string },
  signal?: AbortSignal,
): Promise<FoundPhotos> {
  const query = new URLSearchParams({ limit: '24', ...search });
  return call(`/v1/search/photos?${query.toString()}`, FoundPhotosSchema, { signal });
}

export function getGallery(itemId: string, signal?: AbortSignal): Promise<Gallery> {
  return call(`/v1/items/${id(itemId)}/photos`, GallerySchema, { signal });
}
/** @throws ApiError VERSION_CONFLICT when `version` is not the present one. */
export function putOrder(itemId: string, order: readonly string[], version: number): Promise<Gallery> {
  return call(`/v1/items/${id(itemId)}/photos/order`, GallerySchema, {
    method: 'PUT',
    body: { order },
    headers: { 'if-match': `"${version}"` },
  });
}
export function deletePhoto(photoId: string): Promise<void> {
  return callVoid(`/v1/photos/${id(photoId)}`, { method: 'DELETE', keepalive: true });
}
export function setAlt(photoId: string, alt: string): Promise<Photo> {
  return call(`/v1/photos/${id(photoId)}`, PhotoSchema, { method: 'PATCH', body: { alt } });
}
/** Asks for an archived original; `archive` of the photo says how far it is. */
export function restorePhoto(photoId: string): Promise<Photo> {
  return call(`/v1/photos/${id(photoId)}/restore`, PhotoSchema, { method: 'POST' });
}
export function appeal(photoId: string, message: string): Promise<Photo> {
  return call(`/v1/photos/${id(photoId)}/appeal`, PhotoSchema, { method: 'POST', body: { message } });
}

export function getReceipt(photoId: string, signal?: AbortSignal): Promise<Receipt> {
  return call(`/v1/photos/${id(photoId)}/receipt`, ReceiptSchema, { signal });
}
/** Saves the receipt as a file, under the name that the service gives it. @throws ApiError */
export async function downloadReceipt(photoId: string, format: 'json' | 'text'): Promise<void> {
  const response = await send(`/v1/photos/${id(photoId)}/receipt?format=${format}`);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `privacy-receipt-${photoId}.${format === 'text' ? 'txt' : 'json'}`;
  link.click();
  URL.revokeObjectURL(address);
}

export function getProfilePhoto(userId: string, signal?: AbortSignal): Promise<Photo> {
  return call(`/v1/users/${id(userId)}/profile-photo`, PhotoSchema, { signal });
}
export function putProfilePhoto(userId: string, file: Blob, filename: string): Promise<Photo> {
  const form = new FormData();
  form.append('file', file, filename);
  return call(`/v1/users/${id(userId)}/profile-photo`, PhotoSchema, { method: 'PUT', body: form });
}
export function deleteProfilePhoto(userId: string): Promise<void> {
  return callVoid(`/v1/users/${id(userId)}/profile-photo`, { method: 'DELETE' });
}
