import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems } from '../responses.ts';
import { Item, ItemIdParam, ItemParams, ItemStatus, line, Page, UserIdParam } from '../schemas.ts';

/** Listings, as far as this service has to know them. */
export function itemRoutes(app: App, { items }: Pick<HttpDeps, 'items'>): void {
  const tags = ['Items'];

  app.post(
    '/v1/items',
    {
      schema: {
        tags,
        operationId: 'createItem',
        summary: 'Create a listing',
        answers: { 200: { headers: ['Location'] }, 201: { headers: ['Location'] } },
        description:
          'Sent again with the same id by the same seller it answers with the listing that is there.',
        body: z.object({
          id: ItemIdParam.exactOptional(),
          title: line(200),
          category: line(100).exactOptional(),
          sellerId: UserIdParam.exactOptional().meta({ description: 'Role service only.' }),
        }),
        response: { 200: Item, 201: Item, ...problems('FORBIDDEN', 'CONFLICT', 'ALREADY_EXISTS') },
      },
    },
    async (request, reply) => {
      const { item, created } = await items.createItem(callerOf(request), request.body);
      reply.header('location', `/v1/items/${item.id}`);
      return reply.code(created ? 201 : 200).send(item);
    },
  );

  app.get(
    '/v1/items',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'listItems',
        summary: 'List listings, newest first',

        querystring: Page.extend({ sellerId: UserIdParam.exactOptional() }),
        response: {
          200: z.object({ items: z.array(Item).readonly(), next: z.string().nullable() }),
          ...problems(),
        },
      },
    },
    async (request) => items.listItems(request.who, request.query),
  );

  app.get(
    '/v1/items/:itemId',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'getItem',
        summary: 'One listing',

        params: ItemParams,
        response: { 200: Item, ...problems('NOT_FOUND') },
      },
    },
    async (request) => items.getItem(request.who, request.params.itemId),
  );

  app.patch(
    '/v1/items/:itemId',
    {
      schema: {
        tags,
        operationId: 'updateItem',
        summary: 'Change a listing',

        params: ItemParams,
        body: z
          .object({
            title: line(200).exactOptional(),
            category: line(100).nullable().exactOptional(),
            status: ItemStatus.exactOptional(),
          })
          .refine((change) => Object.keys(change).length > 0, 'names nothing to change'),
        response: { 200: Item, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request) => items.updateItem(callerOf(request), request.params.itemId, request.body),
  );

  app.delete(
    '/v1/items/:itemId',
    {
      schema: {
        tags,
        operationId: 'deleteItem',
        summary: 'Remove a listing and its photos',

        params: ItemParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND', 'LEGAL_HOLD') },
      },
    },
    async (request, reply) => {
      await items.deleteItem(callerOf(request), request.params.itemId);
      return reply.code(204).send(null);
    },
  );
}
