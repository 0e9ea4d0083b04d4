import { z } from 'zod';
import { receiptText } from '#src/services/receipt.ts';
import type { FileManagementService } from '#src/services/contracts.ts';
import type { App } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { ReceiptSchema } from '../receipt-schema.ts';
import { problems } from '../responses.ts';
import { PhotoParams } from '../schemas.ts';

/** What was removed from a photo, to read and to keep. */
export function receiptRoutes(app: App, { files }: { files: FileManagementService }): void {
  app.get(
    '/v1/photos/:id/receipt',
    {
      config: { costly: true },
      schema: {
        tags: ['Photos'],
        operationId: 'getPhotoReceipt',
        summary: 'What was in the uploaded file, and that none of it is in what is public',
        description:
          'For the owner and staff. Kinds, sizes and hashes, never what was found. `sha256` is that of `statement` as compact JSON; the audit ledger holds it under `photo.receipt`. `format=text` gives the same in plain words. A deleted photo has no receipt any more.',
        answers: { 200: { description: 'The receipt.', headers: ['Content-Disposition'] } },
        params: PhotoParams,
        querystring: z.object({ format: z.enum(['json', 'text']).default('json') }),
        response: { 200: ReceiptSchema, ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT') },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const receipt = await files.getReceipt(callerOf(request), id);
      const isText = request.query.format === 'text';
      reply.headers({
        'content-disposition': `attachment; filename="privacy-receipt-${id}.${isText ? 'txt' : 'json'}"`,
        'cache-control': 'private, no-store',
      });
      if (!isText) return reply.send(receipt);
      return reply
        .type('text/plain; charset=utf-8')
        .serializer(() => receiptText(receipt))
        .send(receipt);
    },
  );
}
