import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo } from '#src/http/schemas.ts';
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { plainPdf } from '#test/support/pdf.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf, expectNoObjects, expectProblem, objectsIn, photoFile } from './client.ts';

let service: RunningService;
let client: Client;
let seller: string;
const path = '/v1/users/seller-1/verification-documents';

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn' } });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
});
afterAll(() => service.stop());

describe('an identity document', () => {
  test('is stored encrypted, read by its owner and by moderators as a download, and destroyed', async () => {
    const file = { ...(await photoFile('dogs.jpg')), name: 'Ausweis Müller.jpg' };
    const reply = await client.upload(path, file, { token: seller });
    expect([201, 202]).toContain(reply.status);
    const { id } = reply.as(Photo.strict());
    await client.untilState(id, seller, 'ready');

    for (const object of await objectsIn(service.dataDir))
      expect((await readFile(object)).includes(file.bytes.subarray(1000, 1064))).toBe(false);

    const content = `/v1/verification-documents/${id}/content`;
    const moderator = await client.token('moderator-1', 'moderator');
    for (const token of [seller, moderator]) {
      const answer = await client.call('GET', content, { token });
      expect(answer.status).toBe(200);
      expect(answer.body.equals(file.bytes)).toBe(true);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'image/jpeg',
        'content-disposition': expect.stringMatching(
          /^attachment; filename="Ausweis M_ller.jpg"; filename\*=UTF-8''/,
        ),
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
    }
    expectProblem(await client.call('GET', content), 401, 'UNAUTHENTICATED');
    expectProblem(
      await client.call('GET', content, { token: await client.token('seller-2') }),
      404,
      'NOT_FOUND',
    );
    const listed = await client.call('GET', path, { token: seller });
    expect(
      listed.as(z.strictObject({ documents: z.array(Photo.strict()) })).documents.map((one) => one.id),
    ).toEqual([id]);
    expectProblem(
      await client.call('GET', path, { token: await client.token('seller-2') }),
      403,
      'FORBIDDEN',
    );

    expect((await client.call('DELETE', `/v1/verification-documents/${id}`, { token: seller })).status).toBe(
      204,
    );
    await expect
      .poll(async () => (await client.call('GET', content, { token: seller })).status, { timeout: 10_000 })
      .toBe(404);
    await expectNoObjects(service.dataDir);
  });

  test('may be a PDF, and is never a web page', async () => {
    const reply = await client.upload(path, plainPdf(), { token: seller });
    expect([201, 202]).toContain(reply.status);
    const { id } = reply.as(Photo);
    await client.untilState(id, seller, 'ready');
    expectProblem(await client.upload(path, htmlNamedJpg(), { token: seller }), 415, 'UNSUPPORTED_TYPE');
    await client.call('DELETE', `/v1/verification-documents/${id}`, { token: seller });
    await expectNoObjects(service.dataDir);
  });

  test('is nobody else’s to send', async () => {
    const other = await client.token('seller-2');
    expectProblem(await client.upload(path, plainPdf(), { token: other }), 403, 'FORBIDDEN');
  });
});
