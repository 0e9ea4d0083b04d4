import { expect } from 'vitest';
import { z } from 'zod';
import { Photo, Reservation } from '#src/http/schemas.ts';
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { type Client, clientOf, multipart, photoFile } from '../client.ts';
import type { Call, Caller, Row, Subjects } from './row.ts';

export interface Access {
  readonly client: Client;
  readonly tokens: Tokens;
  readonly subjects: Subjects;
  /** By `operationId`, as the API documents itself. */
  readonly methods: ReadonlyMap<string, string>;
  /** Calls as the table says; resolves to the status alone: a stream that goes on is left. */
  call(row: Row, caller: Caller): Promise<number>;
}

type Tokens = Readonly<Record<Caller, string | undefined>>;

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
});

/** Callers with their tokens, and what the calls are about, in a service whose policy puts every photo before a person. */
export async function openAccess(url: string): Promise<Access> {
  const client = clientOf(url);
  const { paths } = Document.parse(await (await fetch(`${url}/openapi.json`)).json());
  const methods = new Map(
    Object.values(paths).flatMap((path) =>
      Object.entries(path).map(([method, { operationId }]) => [operationId, method.toUpperCase()] as const),
    ),
  );
  const token = async (sub: string, roles: string[]) => {
    const reply = await client.call('POST', '/dev/token', { json: { sub, roles } });
    return z.object({ token: z.string() }).parse(JSON.parse(reply.body.toString())).token;
  };
  const tokens: Tokens = {
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
  const subjects = await makeSubjects(client, tokens);
  return {
    client,
    tokens,
    subjects,
    methods,
    async call(row, caller) {
      const call = await row.call(subjects);
      return statusOf(`${url}${call.path}`, methods.get(row.operation) ?? '', call, tokens[caller]);
    },
  };
}

async function makeSubjects(client: Client, tokens: Tokens): Promise<Subjects> {
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

async function statusOf(url: string, method: string, call: Call, token: string | undefined): Promise<number> {
  const form = call.file === true ? multipart(htmlNamedJpg()) : null;
  const response = await fetch(url, {
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
