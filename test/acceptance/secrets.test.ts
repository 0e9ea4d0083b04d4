import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo, Reservation, SignedUrl } from '#src/http/schemas.ts';
import { eicarBehindJpeg } from '#test/support/hostile.ts';
import { plainPdf } from '#test/support/pdf.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type CallOptions, type Client, clientOf, multipart, photoFile, type Reply } from './client.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

/** Where the photo of this test was taken, in every spelling that a log could have. */
const PLACE = ['55.038', '8.4571', `55 deg 2'`, `8 deg 27'`, 'GPSLatitude', 'GPSLongitude', 'GPSPosition'];

/** What must never be written down, by what it is. */
const secrets = new Map<string, string[]>();
const refusals: Reply[] = [];
let service: RunningService;
let client: Client;

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'trace', ...DOUBT_ALL } });
  client = clientOf(service.url);
  await journey();
  await service.stop();
}, 120_000);
afterAll(() => service.stop());

function keep(what: string, ...values: readonly string[]): void {
  secrets.set(what, [...(secrets.get(what) ?? []), ...values.filter((value) => value.length > 3)]);
}

function keepBytes(what: string, bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes);
  const spellings = ['hex', 'base64', 'base64url'] as const;
  keep(what, ...spellings.map((spelling) => buffer.toString(spelling).replaceAll('=', '')));
  keep(what, [...buffer.subarray(0, 6)].join(','));
}

async function call(method: string, path: string, options: CallOptions = {}): Promise<Reply> {
  const reply = await client.call(method, path, options);
  if (reply.status >= 400) refusals.push(reply);
  return reply;
}

/** Everything that the service does, with good and bad input, and every secret on the way. */
async function journey(): Promise<void> {
  const seller = await client.token('seller-1', 'seller');
  const moderator = await client.token('moderator-1', 'moderator');
  const admin = await client.token('admin-1', 'admin');
  const forged = `${moderator.split('.').slice(0, 2).join('.')}.${randomBytes(32).toString('base64url')}`;
  for (const token of [seller, moderator, admin, forged]) keep('tokens', token, token.split('.')[2] ?? '');
  const idempotencyKey = `key-${randomBytes(12).toString('hex')}`;
  keep('idempotency keys', idempotencyKey);

  // Photos, by form, reservation and tus; in review, approved, refused.
  const item = await client.listing(seller);
  const photos = `/v1/items/${item}/photos`;
  const taken = await client.upload(photos, await photoFile('lumia-820-starfish.jpg'), {
    token: seller,
    headers: { 'idempotency-key': idempotencyKey },
  });
  const { id } = taken.as(Photo);
  const view = await call('POST', `/v1/photos/${id}/signed-url`, {
    token: moderator,
    json: { variant: 'original', expiresIn: 60 },
  });
  const { url } = view.as(SignedUrl);
  keep('signatures of URLs', url, new URL(url).search.slice(1), ...new URL(url).searchParams.values());
  await call('GET', url);
  await call('GET', `${url}x`);
  await call('GET', '/v1/admin/review', { token: moderator });
  await call('POST', `/v1/admin/photos/${id}/decision`, {
    token: moderator,
    json: { decision: 'approve', reason: 'Fine' },
  });
  const hostile = await eicarBehindJpeg();
  refusals.push(await client.upload(photos, { ...hostile, name: 'virus.jpg' }, { token: seller }));

  const file = await photoFile('lake.jpg');
  const reservation = (
    await call('POST', '/v1/uploads', {
      token: seller,
      json: {
        kind: 'item_photo',
        itemId: item,
        filename: 'lake.jpg',
        bytes: file.bytes.length,
        type: file.type,
      },
    })
  ).as(Reservation);
  const fields = reservation.direct?.fields ?? {};
  keep('form policies', fields['policy'] ?? '', fields['signature'] ?? '');
  const send = (change: object) => {
    const form = multipart(file, { ...fields, ...change });
    return call('POST', reservation.direct?.url ?? '', {
      body: form.body,
      headers: { 'content-type': form.contentType },
    });
  };
  await send({ signature: `${fields['signature'] ?? ''}x` });
  await send({ key: 'temp/uploads/another' });
  await send({});
  await call('POST', `/v1/uploads/${reservation.id}/complete`, { token: seller, json: {} });
  await call('HEAD', `/v1/uploads/tus/${reservation.id}`, {
    token: seller,
    headers: { 'tus-resumable': '1.0.0' },
  });

  // An identity document: who reads it, who may not, and its end.
  const mark = `PASSPORT-${randomBytes(8).toString('hex')}`;
  keep('content of documents', mark);
  const path = '/v1/users/seller-1/verification-documents';
  const bytes = Buffer.concat([plainPdf().bytes, Buffer.from(`\n% ${mark}\n`)]);
  const document = await client.upload(
    path,
    { name: 'Pass von Erika Mustermann.pdf', type: 'application/pdf', bytes },
    { token: seller },
  );
  keep('names of documents', 'Mustermann');
  const { id: documentId } = document.as(Photo);
  await client.untilState(documentId, seller, 'ready');
  for (const token of [seller, moderator, admin, forged])
    await call('GET', `/v1/verification-documents/${documentId}/content`, { token });
  await call('DELETE', `/v1/verification-documents/${documentId}`, { token: seller });
  await call('POST', '/v1/admin/keys/rotation', { token: admin, json: {} });
  await call('GET', '/v1/admin/audit?limit=100', { token: admin });
  await call('POST', '/v1/admin/audit/verify', { token: admin, json: {} });

  // What clients get wrong.
  const inPath = randomBytes(16).toString('hex');
  keep('what stands in bad requests', inPath);
  await call('GET', `/v1/photos/${inPath}?access_token=${inPath}`, { token: seller });
  await call('GET', `/v1/items/%ZZ${inPath}`);
  await call('POST', '/v1/items', { token: seller, json: { title: '', [inPath]: inPath } });
  await call('POST', '/v1/items', {
    token: seller,
    body: Buffer.from(`{"${inPath}`),
    headers: { 'content-type': 'application/json' },
  });
  await call('GET', '/v1/items', { headers: { authorization: `Basic ${inPath}` } });
  await call('GET', `/store/temp/uploads/${inPath}?expires=1&signature=${inPath}`);

  const vault = z.object({ keys: z.array(z.object({ key: z.base64() })) });
  const { keys } = vault.parse(JSON.parse(await readFile(join(service.dataDir, 'vault.key'), 'utf8')));
  expect(keys).toHaveLength(2);
  for (const { key } of keys) keepBytes('keys of the vault', Buffer.from(key, 'base64'));
  keepBytes('the secret of the installation', await readFile(join(service.dataDir, 'secret.key')));
  const password = await readFile(join(service.dataDir, 'postgres/18/localex-password'), 'utf8');
  keep('passwords of the database', password.trim());
  keep('places', ...PLACE);
}

const WHAT = [
  'tokens',
  'idempotency keys',
  'signatures of URLs',
  'form policies',
  'content of documents',
  'names of documents',
  'what stands in bad requests',
  'keys of the vault',
  'the secret of the installation',
  'passwords of the database',
  'places',
] as const;

describe('the log of a whole journey at its most talkative', () => {
  test('has the journey in it', () => {
    const lines = service.output().trim().split('\n');
    expect(lines.filter((line) => line.includes('"answered"')).length).toBeGreaterThan(25);
    expect(refusals.length).toBeGreaterThan(10);
    expect([...secrets.keys()].toSorted()).toEqual([...WHAT].toSorted());
  });

  test.each(WHAT)('holds nothing of: %s', (what) => {
    const output = service.output();
    for (const value of secrets.get(what) ?? []) expect(lineWith(output, value)).toBeNull();
  });

  test.each(WHAT)('and no refusal holds any of: %s', (what) => {
    const told = refusals
      .map((reply) => `${JSON.stringify([...reply.headers])}\n${reply.body.toString()}`)
      .join('\n');
    for (const value of secrets.get(what) ?? []) expect(lineWith(told, value)).toBeNull();
  });
});

describe('a start that fails', () => {
  const SECRET = 'Kx9-very-secret-Zq4';

  test.each([
    [
      'the password of a database that does not answer',
      { DATABASE_URL: `postgres://localex:${SECRET}@127.0.0.1:1/localex` },
    ],
    [
      'the password in an address that is malformed',
      { DATABASE_URL: `postgress://localex:${SECRET}@127.0.0.1/x` },
    ],
    [
      'the secret key of S3',
      {
        STORAGE_DRIVER: 's3',
        S3_BUCKET: 'localex-storage',
        S3_ENDPOINT: 'http://127.0.0.1:1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: SECRET,
      },
    ],
    [
      'a secret for webhooks that is too short',
      { WEBHOOK_URL: 'https://example.com', WEBHOOK_SECRET: SECRET },
    ],
    ['a password of Redis', { REDIS_URL: `redis://:${SECRET}@127.0.0.1:1` }],
  ])(
    'says nothing of %s',
    async (_, env) => {
      const failure = await startService({ env: { LOG_LEVEL: 'trace', ...env } }).then(
        async (started) => {
          // It may start although Redis does not answer yet; what it says then counts.
          const said = started.output();
          await started.stop();
          return said;
        },
        (error: unknown) => String(error),
      );
      expect(failure.length).toBeGreaterThan(50);
      expect(lineWith(failure, SECRET)).toBeNull();
    },
    90_000,
  );
});

/** The line that a value stands in, so that a failed test says where. */
function lineWith(text: string, value: string): string | null {
  return (
    text
      .split('\n')
      .find((line) => line.includes(value))
      ?.slice(0, 400) ?? null
  );
}
