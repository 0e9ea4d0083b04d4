import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo, Reservation } from '#src/http/schemas.ts';
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { USES_BUCKET } from '#test/support/storage-under-test.ts';
import { ADMIN } from './access/admin.ts';
import { FILES } from './access/files.ts';
import { LISTINGS } from './access/listings.ts';
import { type Call, type Caller, CALLERS, type Row, type Subjects } from './access/row.ts';
import { SYSTEM } from './access/system.ts';
import { type Client, clientOf, multipart, photoFile } from './client.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

/** Routes that stand in for a bucket; where there is one it answers itself. */
const STAND_INS = ['sendUploadForm', 'getSignedObject'];
/** Every route, every caller. A route that is not here fails the test. */
const ACCESS: readonly Row[] = [...SYSTEM, ...LISTINGS, ...FILES, ...ADMIN].filter(
  ({ operation }) => !USES_BUCKET || !STAND_INS.includes(operation),
);

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
});

let service: RunningService;
let client: Client;
let tokens: Readonly<Record<Caller, string | undefined>>;
let subjects: Subjects;
let methods: ReadonlyMap<string, string>;

beforeAll(async () => {
  service = await startService({
    env: {
      LOG_LEVEL: 'error',
      ...DOUBT_ALL,
      UPLOADS_PER_MINUTE: '10000',
      PHOTOS_PER_ITEM: '200',
    },
  });
  client = clientOf(service.url);
  const { paths } = Document.parse(await (await fetch(`${service.url}/openapi.json`)).json());
  methods = new Map(
    Object.values(paths).flatMap((path) =>
      Object.entries(path).map(([method, { operationId }]) => [operationId, method.toUpperCase()] as const),
    ),
  );
  const token = async (sub: string, roles: string[]) => {
    const reply = await client.call('POST', '/dev/token', { json: { sub, roles } });
    return z.object({ token: z.string() }).parse(JSON.parse(reply.body.toString())).token;
  };
  tokens = {
    nobody: undefined,
    owner: await token('owner', ['seller']),
    seller: await token('another-seller', ['seller']),
    plain: await token('plain', []),
    moderator: await token('moderator', ['moderator']),
    admin: await token('admin', ['admin']),
    service: await token('backend', ['service']),
  };
  // A stranger who owns other things.
  await client.listing(tokens.seller ?? '');
  subjects = await makeSubjects();
});
afterAll(() => service.stop());

async function makeSubjects(): Promise<Subjects> {
  const owner = tokens.owner ?? '';
  const item = await client.listing(owner);
  const draft = await client.listing(owner);
  await client.call('PATCH', `/v1/items/${draft}`, { token: owner, json: { status: 'draft' } });
  const uploaded = async (name: string, into: string) => {
    const reply = await client.upload(`/v1/items/${into}/photos`, await photoFile(name), { token: owner });
    const { id, state } = reply.as(Photo);
    expect(state).toBe('in_review');
    return id;
  };
  const photo = await uploaded('lake.jpg', item);
  await client.call('POST', `/v1/admin/photos/${photo}/decision`, {
    ...(tokens.moderator !== undefined && { token: tokens.moderator }),
    json: { decision: 'approve', reason: 'Fine' },
  });
  await client.untilState(photo, owner, 'ready');
  const newDocument = async () => {
    const path = '/v1/users/owner/verification-documents';
    const reply = await client.upload(path, await photoFile('dogs.jpg'), { token: owner });
    const { id } = reply.as(Photo);
    await client.untilState(id, owner, 'ready');
    return id;
  };
  const reserve = async () => {
    const json = { kind: 'item_photo', itemId: item, filename: 'a.jpg', bytes: 100, type: 'image/jpeg' };
    return (await client.call('POST', '/v1/uploads', { token: owner, json })).as(Reservation).id;
  };
  const document = await newDocument();
  return {
    item,
    draft,
    photo,
    reviewed: await uploaded('dogs.jpg', item),
    document,
    reserved: await reserve(),
    doomedPhoto: reserve,
    doomedDocument: newDocument,
    doomedItem: () => client.listing(owner),
    begun: reserve,
  };
}

/** The status alone: a stream that goes on is left. */
async function statusOf(row: Row, call: Call, caller: Caller): Promise<number> {
  const method = methods.get(row.operation) ?? '';
  const token = tokens[caller];
  const form = call.file === true ? multipart(htmlNamedJpg()) : null;
  const response = await fetch(`${service.url}${call.path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(call.json !== undefined && { 'content-type': 'application/json' }),
      ...(form !== null && { 'content-type': form.contentType }),
      ...call.headers,
    },
    ...(call.json !== undefined && { body: JSON.stringify(call.json) }),
    ...(form !== null && { body: new Uint8Array(form.body) }),
  });
  await response.body?.cancel();
  return response.status;
}

test('every route of the API is in the table, and the table has no other', () => {
  const known = new Set(ACCESS.map((row) => row.operation));
  expect([...methods.keys()].filter((operation) => !known.has(operation))).toEqual([]);
  expect([...known].filter((operation) => !methods.has(operation))).toEqual([]);
});

describe.each(
  ACCESS.map((row) => ({
    ...row,
    name: `${row.operation}${row.about === undefined ? '' : `, ${row.about}`}`,
  })),
)('$name', (row) => {
  test('answers each caller as the table says', async () => {
    const answers: Partial<Record<Caller, number>> = {};
    for (const caller of CALLERS) answers[caller] = await statusOf(row, await row.call(subjects), caller);
    expect(answers).toEqual(row.expected);
  });
});

test('nothing of it changed what the table is about', async () => {
  const owner = tokens.owner ?? '';
  for (const id of [subjects.photo, subjects.reviewed])
    expect((await client.call('GET', `/v1/photos/${id}`, { token: owner })).status).toBe(200);
  const content = `/v1/verification-documents/${subjects.document}/content`;
  expect((await client.call('GET', content, { token: owner })).status).toBe(200);
});
