import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { ERROR_CODES, isErrorCode, StorageError } from '#src/domain/errors.ts';
import { logFailure, problemOf, publicError, STATUS } from '#src/http/problems.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { startHttp } from '#test/integration/http/http-service.ts';
import { recordingLog } from '#test/support/recording-log.ts';

const Responses = z.record(z.string(), z.looseObject({ description: z.string() }));
const Document = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ responses: Responses, security: z.unknown().optional() })),
  ),
  components: z.object({
    schemas: z.looseObject({
      Problem: z.looseObject({
        properties: z.looseObject({ code: z.object({ enum: z.array(z.string()) }) }),
      }),
    }),
  }),
});

describe('the codes of errors, their statuses and their documentation', () => {
  test('are the same list: each code has a status that is an error', () => {
    expect(Object.keys(STATUS).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
    for (const [code, status] of Object.entries(STATUS)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
    }
  });

  test('are documented with the status they have, on every route', async () => {
    const service = await startHttp();
    try {
      const document = Document.parse(await (await fetch(`${service.url}/openapi.json`)).json());
      expect(document.components.schemas.Problem.properties.code.enum.toSorted()).toEqual(
        Object.keys(ERROR_CODES).toSorted(),
      );
      const api = Object.entries(document.paths).filter(([path]) => path.startsWith('/v1/'));
      expect(api.length).toBeGreaterThan(15);
      for (const [path, methods] of api)
        for (const [method, { responses, security }] of Object.entries(methods)) {
          const problems = Object.entries(responses).filter(([status]) => Number(status) >= 400);
          expect(
            problems.map(([status]) => status),
            `${method} ${path}`,
          ).toEqual(expect.arrayContaining(['400', '401', '500']));
          expect(security, `${method} ${path}`).toBeDefined();
          for (const [status, { description }] of problems)
            for (const code of description.split(', '))
              expect(isErrorCode(code) ? STATUS[code] : 'no code', `${method} ${path} ${code}`).toBe(
                Number(status),
              );
        }
    } finally {
      await service.close();
    }
  });
});

describe('the description of the API', () => {
  const Operation = z.looseObject({
    operationId: z.string(),
    responses: z.record(
      z.string(),
      z.looseObject({ description: z.string(), content: z.unknown().optional() }),
    ),
    parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  });
  const Described = z.looseObject({
    info: z.looseObject({ version: z.string() }),
    paths: z.record(z.string(), z.record(z.string(), Operation)),
  });
  const read = async () => {
    const unused = () => {
      throw new StorageError('NOT_FOUND');
    };
    const root = await mkdtemp(join(tmpdir(), 'localex-described-'));
    const store = await createFilesystemObjectStore({
      root,
      publicUrl: 'http://127.0.0.1',
      signingKey: Buffer.alloc(32, 1),
      fsync: false,
    });
    const signedStore = { store, verifyPostForm: unused, verifyGetUrl: unused };
    const service = await startHttp({ edge: { handle: () => false }, signedStore });
    try {
      return Described.parse(await (await fetch(`${service.url}/openapi.json`)).json());
    } finally {
      await service.close();
      await store.close();
      await rm(root, { recursive: true, force: true });
    }
  };

  test('names each operation once, says how it succeeds, and puts it in words', async () => {
    const { paths, info } = await read();
    expect(info.version).toBe(packageJson.version);
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method} ${path}`,
        method,
        ...operation,
      })),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids).toHaveLength(new Set(ids).size);
    for (const { name, method, responses } of operations) {
      const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      expect(successes.length, name).toBeGreaterThan(0);
      const speechless = successes.filter(
        ([status, { content }]) => content === undefined && status !== '204' && method !== 'head',
      );
      expect(speechless, name).toEqual([]);
      for (const [status, { description }] of Object.entries(responses))
        expect(description, `${name} ${status}`).not.toMatch(/^(Default Response)?$/);
    }
  });

  test.each([
    ['/v1/items/{itemId}/photos', 'post', ['Idempotency-Key', 'Prefer']],
    ['/v1/items/{itemId}/photos/order', 'put', ['If-Match']],
    ['/v1/uploads/tus/{id}', 'patch', ['Tus-Resumable', 'Upload-Offset']],
    ['/v1/uploads/tus/{id}', 'head', ['Tus-Resumable']],
    ['/cdn/{key}', 'get', ['Accept', 'Range']],
  ])('knows the header fields of %s %s', async (path, method, names) => {
    const operation = (await read()).paths[path]?.[method];
    const sent = operation?.parameters.filter((parameter) => parameter.in === 'header');
    expect(sent?.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  test.each([
    ['/v1/items/{itemId}/photos', 'post', '202', ['Location', 'Retry-After', 'Preference-Applied']],
    ['/v1/items/{itemId}/photos', 'get', '200', ['ETag']],
    ['/v1/uploads/tus/{id}', 'patch', '204', ['Upload-Offset']],
    ['/v1/uploads', 'post', '429', ['Retry-After']],
  ])('knows the header fields that %s %s answers with %s', async (path, method, status, names) => {
    const answer = (await read()).paths[path]?.[method]?.responses[status];
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(answer?.['headers']))).toEqual(
      expect.arrayContaining(names),
    );
  });

  test.each([
    ['/v1/verification-documents/{id}/content', 'application/octet-stream'],
    ['/v1/photos/{id}/events', 'text/event-stream'],
    ['/v1/items/{itemId}/events', 'text/event-stream'],
    ['/store/{*}', 'application/octet-stream'],
    ['/cdn/{key}', 'image/webp'],
  ])('says that %s is %s', async (path, type) => {
    expect((await read()).paths[path]?.['get']?.responses['200']?.content).toHaveProperty([type]);
  });
});

describe('a problem', () => {
  test('carries what was written for people, and nothing private', () => {
    const error = new StorageError('FORBIDDEN', 'Only the seller may do that.', {
      details: { table: 'files' },
      cause: new Error('select secret'),
    });
    expect(problemOf(error, 'r1')).toEqual({
      type: 'urn:localex:problem:forbidden',
      title: 'Not allowed',
      status: 403,
      code: 'FORBIDDEN',
      detail: 'Only the seller may do that.',
      instance: 'urn:request:r1',
    });
  });

  test.each([
    new Error('connect ECONNREFUSED /var/run/db'),
    'text',
    null,
    new StorageError('INTERNAL', 'a path /x'),
  ])('of an unknown error %s says nothing about it', (thrown) => {
    const problem = problemOf(publicError(thrown), 'r1');
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(problem)).not.toMatch(/ECONNREFUSED|var|text|path/);
  });
});

describe('a failure in the log', () => {
  const logged = (thrown: unknown) => {
    const log = recordingLog();
    logFailure(log, thrown);
    return log.lines.map(({ level, details }) => ({ level, stack: 'err' in details }));
  };

  test('of a client that went away is news, of what will pass a warning, of ours an error with its stack', () => {
    expect(logged(new StorageError('ABORTED'))).toEqual([{ level: 'info', stack: false }]);
    for (const code of ['BUSY', 'DATABASE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'] as const)
      expect(logged(new StorageError(code)), code).toEqual([{ level: 'warn', stack: false }]);
    for (const thrown of [new Error('x'), new StorageError('INTERNAL'), new StorageError('STORAGE_FULL')])
      expect(logged(thrown)).toEqual([{ level: 'error', stack: true }]);
  });

  test('is not there when the request was wrong', () => {
    for (const code of ['NOT_FOUND', 'RATE_LIMITED', 'FILE_TOO_LARGE'] as const)
      expect(logged(new StorageError(code)), code).toEqual([]);
  });
});
