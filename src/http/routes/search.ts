import { z } from 'zod';
import { COLORS } from '#src/domain/colors.ts';
import { FINDABLE_STATES, ORIENTATIONS } from '#src/domain/photo-document.ts';
import { OUTPUT_FORMATS } from '#src/domain/renditions.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { ItemIdParam, line, Page, Photo, UserIdParam } from '../schemas.ts';
import { Run } from './runs.ts';

const MAX_PIXELS = 100_000;
const pixels = z.coerce.number().int().min(1).max(MAX_PIXELS).exactOptional();

export const FoundPhotos = z
  .object({
    photos: z.array(Photo).readonly(),
    items: z
      .array(z.object({ id: z.string(), title: z.string() }))
      .readonly()
      .meta({ description: 'The listings of these photos.' }),
    match: z.enum(['exact', 'similar']).meta({
      description: '`similar`: nothing has these words; words a few letters off were looked for.',
    }),
    next: z.string().nullable(),
  })
  .meta({ id: 'FoundPhotos' });

/** Finding photos, and making the index anew. */
export function searchRoutes(app: App, { search }: Pick<HttpDeps, 'search'>): void {
  const tags = ['Search'];

  app.get(
    '/v1/search/photos',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'searchPhotos',
        summary: 'Find photos of listings',
        description:
          'By words of the title, the description and what the classifier sees, the last word begun at least; all filters must hold. Without `q` the newest come first. Everybody finds what is public and their own photos in every state, moderators all. A change is found within a few seconds.',
        querystring: Page.extend({
          q: z.string().max(200).exactOptional(),
          format: z.enum(OUTPUT_FORMATS).exactOptional(),
          color: z.enum(COLORS).exactOptional().meta({ description: 'One of its dominant colors.' }),
          orientation: z.enum(ORIENTATIONS).exactOptional(),
          minWidth: pixels,
          minHeight: pixels,
          minQuality: z.coerce.number().int().min(0).max(100).exactOptional().meta({
            description: 'How the photo would do as a cover; photos that were not measured have none.',
          }),
          category: line(100).exactOptional(),
          itemId: ItemIdParam.exactOptional(),
          sellerId: UserIdParam.exactOptional(),
          state: z.enum(FINDABLE_STATES).exactOptional(),
        }),
        response: { 200: FoundPhotos, ...problems('SEARCH_UNAVAILABLE') },
      },
    },
    async (request) => {
      const { q, sellerId, ...rest } = request.query;
      return search.searchPhotos(request.who, {
        ...rest,
        ...(q !== undefined && { text: q }),
        ...(sellerId !== undefined && { ownerId: sellerId }),
      });
    },
  );

  app.post(
    '/v1/admin/search/rebuild',
    {
      schema: {
        tags,
        operationId: 'rebuildSearch',
        summary: 'Make the search index anew from the rows',
        description:
          'Beside the present one, which answers until the new one was compared with the rows. A dry run compares the present index with the rows, and changes nothing.',
        body: z.object({ dryRun: z.boolean().default(false) }),
        response: { 202: Run, ...problems('FORBIDDEN') },
      },
    },
    async (request, reply) => reply.code(202).send(await search.rebuild(callerOf(request), request.body)),
  );
}
