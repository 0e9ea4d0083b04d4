import type { ItemStatus, Photo } from '../api/schemas.ts';

export const CATEGORIES = [
  'Furniture',
  'Home and garden',
  'Electronics',
  'Clothing',
  'Sport and outdoors',
  'Toys and games',
  'Books and music',
  'Other',
];

export const STATUS_WORDS: Readonly<Record<ItemStatus, string>> = {
  draft: 'Draft',
  active: 'Online',
  sold: 'Sold',
  withdrawn: 'Withdrawn',
};

/** What became of the full size of a photo, for its seller and for those who want to see it large. */
export const ARCHIVE_WORDS: Readonly<
  Record<Exclude<Photo['archive'], 'none'>, { seller: string; buyer: string }>
> = {
  archived: {
    seller: 'Full size archived',
    buyer: 'The full size is archived. This is the largest that is at hand.',
  },
  restoring: {
    seller: 'Full size on its way back',
    buyer: 'The full size is on its way back from the archive. This can take some hours.',
  },
};

export function countPhotos(count: number): string {
  return count === 0 ? 'No photos yet' : count === 1 ? '1 photo' : `${count} photos`;
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "3 hours ago", in the language of the page. */
export function timeAgo(iso: string, now = Date.now()): string {
  const passed = now - Date.parse(iso);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, ms] of UNITS) if (passed >= ms) return format.format(-Math.floor(passed / ms), unit);
  return 'just now';
}
