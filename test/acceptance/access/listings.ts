import { everybody, only, type Row } from './row.ts';

/** Listings and their galleries. */
export const LISTINGS: readonly Row[] = [
  {
    operation: 'createItem',
    call: () => ({ path: '/v1/items', json: { title: 'A thing' } }),
    expected: only(201, ['owner', 'seller', 'service'], 403),
  },
  {
    operation: 'createItem',
    about: 'for somebody else',
    call: () => ({ path: '/v1/items', json: { title: 'A thing', sellerId: 'somebody' } }),
    expected: only(201, ['service'], 403),
  },
  { operation: 'listItems', call: () => ({ path: '/v1/items' }), expected: everybody(200) },
  {
    operation: 'searchPhotos',
    call: () => ({ path: '/v1/search/photos?q=thing&color=red&state=in_review' }),
    expected: everybody(200),
  },
  { operation: 'getItem', call: ({ item }) => ({ path: `/v1/items/${item}` }), expected: everybody(200) },
  {
    operation: 'getItem',
    about: 'a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}` }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'updateItem',
    call: ({ item }) => ({ path: `/v1/items/${item}`, json: { title: 'Another' } }),
    expected: only(200, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'updateItem',
    about: 'a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}`, json: { category: 'bikes' } }),
    expected: { ...only(200, ['owner', 'admin', 'service'], 404), moderator: 403 },
  },
  {
    operation: 'deleteItem',
    call: async ({ doomedItem }) => ({ path: `/v1/items/${await doomedItem()}` }),
    expected: only(204, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'uploadItemPhoto',
    call: ({ item }) => ({ path: `/v1/items/${item}/photos`, file: true }),
    expected: only(415, ['owner', 'service'], 403),
  },
  {
    operation: 'uploadItemPhoto',
    about: 'to a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos`, file: true }),
    expected: { ...only(415, ['owner', 'service'], 403), seller: 404, plain: 404 },
  },
  {
    operation: 'getItemPhotos',
    call: ({ item }) => ({ path: `/v1/items/${item}/photos` }),
    expected: everybody(200),
  },
  {
    operation: 'getItemPhotos',
    about: 'of a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos` }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'deleteItemPhotos',
    call: async ({ doomedItem }) => ({ path: `/v1/items/${await doomedItem()}/photos` }),
    expected: only(200, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'reorderPhotos',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos/order`, json: { order: [] } }),
    expected: { ...only(200, ['owner', 'admin', 'service'], 404), moderator: 403 },
  },
  {
    operation: 'followItem',
    about: 'of a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/events`, headers: { accept: 'text/event-stream' } }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
];
