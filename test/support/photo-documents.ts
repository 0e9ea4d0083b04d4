import { v7 } from 'uuid';
import type { PhotoDocument } from '#src/domain/photo-document.ts';
import type { PhotoQuery } from '#src/ports/search.ts';

/** A document of a public photo, but for what is given. */
export function madeDocument(change: Partial<PhotoDocument> = {}): PhotoDocument {
  return {
    id: v7(),
    itemId: 'bike-42',
    ownerId: 'seller-1',
    isPublic: true,
    state: 'ready',
    reason: null,
    listing: 'active',
    category: 'bicycles',
    title: 'a red mountain bike hardly used',
    alt: '',
    labels: ['mountain bike all terrain bike off roader'],
    format: 'jpeg',
    width: 1600,
    height: 1200,
    orientation: 'landscape',
    colors: ['red', 'grey'],
    quality: 71,
    publishedAt: '2026-01-05T09:30:01.200Z',
    ...change,
  };
}

/** What anybody asks, but for what is given. */
export function askedBy(change: Partial<PhotoQuery> = {}): PhotoQuery {
  return {
    scope: { all: false, ownerId: null },
    words: null,
    isLoose: false,
    filters: {},
    after: null,
    limit: 10,
    ...change,
  };
}
