import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ReceiptSchema } from '#src/http/receipt-schema.ts';
import { Photo, Problem } from '#src/http/schemas.ts';
import { exiftoolAvailable, privateFindings, readMetadata } from '#test/support/exiftool.ts';
import { PRIVATE_PHOTOS, type PrivatePhoto, SECRETS } from '#test/support/private-photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { addressesOf, type Client, clientOf, photoFile } from './client.ts';

let service: RunningService;
let client: Client;
let owner: string;

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000' } });
  client = clientOf(service.url);
  owner = await client.token('seller-1', 'seller');
}, 120_000);
afterAll(() => service.stop());

async function ready(file: { name: string; type: string; bytes: Buffer }): Promise<z.output<typeof Photo>> {
  const item = await client.listing(owner);
  const reply = await client.upload(`/v1/items/${item}/photos`, file, {
    token: owner,
    headers: { prefer: 'respond-async' },
  });
  expect(reply.status, reply.body.toString()).toBe(202);
  return client.untilState(reply.as(Photo).id, owner, 'ready', 'rejected', 'failed', 'in_review');
}

const receiptOf = (id: string, query = '') =>
  client.call('GET', `/v1/photos/${id}/receipt${query}`, { token: owner });

describe.skipIf(!exiftoolAvailable())('a photo with hidden data (skipped where exiftool is missing)', () => {
  test.each(PRIVATE_PHOTOS)(
    '$about: named on the receipt, in no public object, its values nowhere',
    async ({ make, contains }) => {
      const file = await make();
      expect(privateTags(await readMetadata(file.bytes)), 'by exiftool in the upload').not.toEqual([]);
      const photo = await ready(file);
      expect(photo).toMatchObject({ state: 'ready', reason: null });

      const reply = await receiptOf(photo.id);
      const { statement } = reply.as(ReceiptSchema);
      expect(foundIn(statement).toSorted()).toEqual(contains.toSorted());
      expect(statement.removed.toSorted()).toEqual(contains.toSorted());
      expect(statement.upload).toMatchObject({ sha256: sha256(file.bytes), bytes: file.bytes.length });

      const { objects } = addressesOf(photo);
      expect(objects).toHaveLength(7);
      for (const { url } of objects) {
        const { body } = await client.call('GET', url);
        expect(privateTags(await readMetadata(body)), url).toEqual([]);
        expect(valuesIn(body), url).toEqual([]);
        expect(statement.outputs).toContainEqual(
          expect.objectContaining({ url, sha256: sha256(body), bytes: body.length, clean: true }),
        );
      }
      expect(statement.outputs).toHaveLength(7);

      const text = await receiptOf(photo.id, '?format=text');
      for (const { body } of [reply, text])
        expect([...valuesIn(body), ...(await ownValuesIn(file.bytes, body))]).toEqual([]);
    },
    60_000,
  );
});

describe('a receipt', () => {
  test('is a file to keep, in JSON and in words', async () => {
    const { id } = await ready(await photoFile('lake.jpg'));
    const json = await receiptOf(id);
    expect(json.headers.get('content-disposition')).toBe(`attachment; filename="privacy-receipt-${id}.json"`);
    const text = await receiptOf(id, '?format=text');
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text.headers.get('content-disposition')).toBe(`attachment; filename="privacy-receipt-${id}.txt"`);
    expect(text.body.toString()).toMatch(/^Privacy receipt\n/);
    expect(text.body.toString()).toContain('  - location\n');
  });

  test('says with which encoder each output was made', async () => {
    const { id } = await ready(await photoFile('lake.jpg'));
    const { statement } = (await receiptOf(id)).as(ReceiptSchema);
    const [recipe] = statement.recipes;
    expect(statement.recipes).toHaveLength(1);
    expect(statement.outputs.map((output) => output.recipe)).toEqual(Array(7).fill(recipe?.id));
    expect(recipe?.encoder).toMatchObject({ jpegQuality: 85 });
    expect(recipe?.versions).toMatchObject({ vips: expect.any(String), sharp: expect.any(String) });
  });

  test('has a hash that anybody can compute, and that the audit ledger holds', async () => {
    const { id } = await ready(await photoFile('lake.jpg'));
    const receipt = JSON.parse((await receiptOf(id)).body.toString());
    expect(sha256(Buffer.from(JSON.stringify(receipt.statement)))).toBe(receipt.sha256);
    const admin = await client.token('admin-1', 'admin');
    const ledger = await client.call('GET', `/v1/admin/audit?action=photo.receipt&fileId=${id}`, {
      token: admin,
    });
    const { entries } = z
      .object({ entries: z.array(z.looseObject({ userId: z.string(), details: z.unknown() })) })
      .parse(JSON.parse(ledger.body.toString()));
    expect(entries).toMatchObject([{ userId: 'seller-1', details: { sha256: receipt.sha256 } }]);
  });

  test('ends with the photo: a deleted one has none', async () => {
    const { id } = await ready(await photoFile('lake.jpg'));
    expect((await client.call('DELETE', `/v1/photos/${id}`, { token: owner })).status).toBe(204);
    await expect.poll(async () => (await receiptOf(id)).status, { timeout: 15_000 }).toBe(404);
  });

  test('is not given while nothing is known of the photo', async () => {
    const item = await client.listing(owner);
    const json = { kind: 'item_photo', itemId: item, filename: 'a.jpg', bytes: 9, type: 'image/jpeg' };
    const reserved = await client.call('POST', '/v1/uploads', { token: owner, json });
    const { id } = JSON.parse(reserved.body.toString());
    const reply = await receiptOf(id);
    expect([reply.status, reply.as(Problem).code]).toEqual([409, 'CONFLICT']);
  });
});

type Statement = z.output<typeof ReceiptSchema>['statement'];

function foundIn(statement: Statement): PrivatePhoto['contains'] {
  const kinds = statement.contained.flatMap(({ kind, found }) => (found === true ? [kind] : []));
  return [...kinds, ...((statement.trailingBytes ?? 0) > 0 ? (['trailingBytes'] as const) : [])];
}

/** No colour profile either: ours have none. */
function privateTags(metadata: Awaited<ReturnType<typeof readMetadata>>): string[] {
  const profile = Object.keys(metadata).filter((tag) => tag.startsWith('ICC'));
  return [...privateFindings(metadata).map(({ tag, value }) => `${tag}=${value}`), ...profile];
}

function valuesIn(body: Buffer): string[] {
  return Object.values(SECRETS).filter((value) => body.includes(value));
}

/** What exiftool reads in the upload of camera, place and people must not be in the receipt. */
async function ownValuesIn(upload: Buffer, body: Buffer): Promise<string[]> {
  const metadata = await readMetadata(upload);
  return Object.entries(metadata)
    .filter(([tag]) =>
      /:(Make|Model|LensModel|\w*SerialNumber|GPSL\w+tude|Artist|Creator|Software)$/.test(tag),
    )
    .map(([, value]) => String(value))
    .filter((value) => value.length > 4 && body.includes(value));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
