import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Access, openAccess } from './access/access.ts';
import { type Caller, CALLERS } from './access/row.ts';
import { ACCESS } from './access/table.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

let service: RunningService;
let access: Access;

beforeAll(async () => {
  service = await startService({
    env: {
      LOG_LEVEL: 'error',
      ...DOUBT_ALL,
      UPLOADS_PER_MINUTE: '10000',
      PHOTOS_PER_ITEM: '200',
    },
  });
  access = await openAccess(service.url);
});
afterAll(() => service.stop());

test('every route of the API is in the table, and the table has no other', () => {
  const known = new Set(ACCESS.map((row) => row.operation));
  expect([...access.methods.keys()].filter((operation) => !known.has(operation))).toEqual([]);
  expect([...known].filter((operation) => !access.methods.has(operation))).toEqual([]);
});

describe.each(
  ACCESS.map((row) => ({
    ...row,
    name: `${row.operation}${row.about === undefined ? '' : `, ${row.about}`}`,
  })),
)('$name', (row) => {
  test('answers each caller as the table says', async () => {
    const answers: Partial<Record<Caller, number>> = {};
    for (const caller of CALLERS) answers[caller] = await access.call(row, caller);
    expect(answers).toEqual(row.expected);
  });
});

test('nothing of it changed what the table is about', async () => {
  const { client, subjects, tokens } = access;
  const owner = tokens.owner ?? '';
  for (const id of [subjects.photo, subjects.reviewed])
    expect((await client.call('GET', `/v1/photos/${id}`, { token: owner })).status).toBe(200);
  const content = `/v1/verification-documents/${subjects.document}/content`;
  expect((await client.call('GET', content, { token: owner })).status).toBe(200);
});
