import type { Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { FileId } from '../../domain/ids.ts';
import { quarantineViewPattern } from '../../domain/keys.ts';
import type { SignedCookie } from '../../ports/cdn.ts';
import type { ServiceDeps } from '../deps.ts';
import { expiryOf, fileFor, privateViewKey } from './one-photo.ts';

/**
 * Cookies of the CDN's host that open every sanitised view of one photo that is not public, for a page that shows it in several
 * formats or asks for it again and again. To whom, and how audited, as `getPhotoUrl`: not of all photos at once, since each private
 * read is written down by itself. NOT_FOUND when the photo is public or has no view.
 */
export async function getPhotoCookies(
  deps: Pick<ServiceDeps, 'db' | 'cdn' | 'clock' | 'limits'>,
  who: Principal,
  id: FileId,
  { expiresIn }: { readonly expiresIn: number },
): Promise<{ cookies: readonly SignedCookie[]; expiresAt: string }> {
  const expiresAt = expiryOf(deps, expiresIn);
  const file = await fileFor(deps.db, who, 'read', id);
  if (isPublic(file.state)) throw new StorageError('NOT_FOUND', 'A public photo needs no cookies.');
  await privateViewKey(deps.db, who, file);
  const cookies = deps.cdn.signedCookies(quarantineViewPattern(id), expiresAt);
  return { cookies, expiresAt: expiresAt.toISOString() };
}
