import { expect, test } from 'vitest';
import { createLog } from '#src/app/log.ts';

test.each([
  ['a request', (headers: object) => ({ req: { headers } })],
  ['header fields by themselves', (headers: object) => ({ headers })],
  ['what the form parser is given', (headers: object) => ({ busboyOptions: { headers, limits: {} } })],
  ['an answer of somebody else', (headers: object) => ({ response: { headers } })],
  ['anything one level down', (headers: object) => ({ whatever: { headers } })],
])('the log leaves private header fields out of %s', (_, wrap) => {
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  const headers = {
    authorization: 'Bearer s3cret',
    cookie: 'session=s3cret',
    'idempotency-key': 's3cret',
    'upload-metadata': 's3cret',
    'set-cookie': ['s3cret'],
  };
  log.trace(wrap(headers), 'a line');
  expect(lines.join('')).toContain('a line');
  expect(lines.join('')).not.toContain('s3cret');
});

test('the log leaves out the arguments of a command that Redis refused: one of them is the password', () => {
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  const command = { name: 'hello', args: ['3', 'AUTH', 'localex', 's3cret'] };
  log.warn({ err: Object.assign(new Error('WRONGPASS'), { command }) }, 'a line');
  expect(lines.join('')).toContain('WRONGPASS');
  expect(lines.join('')).not.toContain('s3cret');
});
