import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ERROR_CODES, isErrorCode, StorageError } from '#src/domain/errors.ts';
import { logFailure, problemOf, publicError, STATUS } from '#src/http/problems.ts';
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
