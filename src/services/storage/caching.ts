import { isPublicKey } from '../../domain/keys.ts';
import type { ObjectAccess } from './types.ts';

const CACHE_CONTROL: Readonly<Record<ObjectAccess, string>> = {
  public: 'public, max-age=31536000, immutable',
  private: 'private, no-store',
};

/** Where an object lies says who may read it. */
export function accessOf(key: string): ObjectAccess {
  return isPublicKey(key) ? 'public' : 'private';
}

/** How long, and by whom, an object with this key may be kept, unless it was given a policy of its own. */
export function cacheControlOf(key: string): string {
  return CACHE_CONTROL[accessOf(key)];
}
