import { z } from 'zod';
import type { GalleryHead } from '../../db/galleries.ts';
import { PUBLIC_STATES } from '../../domain/file-state.ts';
import type { Cache, CacheKind } from '../../ports/cache.ts';
import type { Cdn } from '../../ports/cdn.ts';
import type { Photo } from '../photo.ts';

const TTL_SECONDS = 600;

/** Whoever has something like this has what another process made: the cache proves that nobody else wrote it. */
function isPublicPhoto(value: unknown): value is Photo {
  return Shown.safeParse(value).success;
}
const Shown = z.looseObject({
  id: z.string(),
  state: z.enum(PUBLIC_STATES),
  sha256: z.null(),
  variants: z.looseObject({}),
});

const PublicPhotos = z.array(z.custom<Photo>(isPublicPhoto));

/** What anybody sees of a listing. The number at its end rises with each change of `Photo`. */
const PUBLIC_GALLERY: CacheKind<readonly Photo[]> = {
  name: 'gallery-1',
  ttlSeconds: TTL_SECONDS,
  parse: (value) => PublicPhotos.parse(value),
};

/** The public photos of a listing, made at most once for each version of it. */
export async function publicPhotos(
  { cache, cdn }: { readonly cache: Cache; readonly cdn: Cdn },
  { item, stamp, isWhole }: GalleryHead,
  make: () => Promise<readonly Photo[]>,
): Promise<readonly Photo[]> {
  if (!isWhole) return make();
  // Addresses are absolute, and processes may have others.
  const version = `${stamp} ${cdn.url('')}`;
  return cache.through({ kind: PUBLIC_GALLERY, key: item.id, version }, make);
}

/** Photos of a listing were withdrawn: nothing of them stays in any cache. */
export async function forgetGallery(cache: Cache, itemId: string): Promise<void> {
  await cache.forget(PUBLIC_GALLERY.name, [itemId]);
}
