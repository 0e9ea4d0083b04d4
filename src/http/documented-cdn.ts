import { PROBLEM_TYPE } from '#src/domain/problem.ts';

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
});
const image = { schema: { type: 'string', format: 'binary' } };
const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

/** The edge answers before the routes are asked, so it is described by hand. */
export const CDN_PATHS = {
  '/cdn/{key}': {
    get: {
      operationId: 'getCdnObject',
      tags: ['Delivery'],
      summary: 'A public photo, or a private one by its signature',
      description:
        'Photos name these addresses; they are not to be put together. With `.auto` for the extension Accept decides on the format. A signed URL is opened as it was given, to its last letter.',
      security: [{}],
      parameters: [
        {
          name: 'key',
          in: 'path',
          required: true,
          description: 'The key of the object, slashes included.',
          schema: { type: 'string' },
        },
        header('Accept', 'Chooses the format of `.auto`: WebP where it is named, else JPEG.'),
        header('Range', 'A part, as in `bytes=0-999`.'),
        header('If-None-Match', 'The ETag that is known already; when it still holds the answer is 304.'),
      ],
      responses: {
        200: {
          description: 'The photo.',
          headers: { ETag: { description: 'Names these bytes.', schema: { type: 'string' } } },
          content: { 'image/jpeg': image, 'image/webp': image, 'image/png': image },
        },
        206: {
          description: 'The part that was asked for.',
          content: { 'image/jpeg': image, 'image/webp': image, 'image/png': image },
        },
        301: { description: 'The same over https.' },
        304: { description: 'Unchanged.' },
        400: problem('INVALID_REQUEST'),
        403: problem('FORBIDDEN'),
        404: problem('NOT_FOUND'),
        416: problem('RANGE_NOT_SATISFIABLE'),
        503: problem('STORAGE_UNAVAILABLE'),
      },
    },
  },
} as const;
