import { expect, test } from 'vitest';
import { createErrorLog } from '#src/adapters/job-queue/error-log.ts';
import { recordingLog } from '#test/support/recording-log.ts';

test('says a complaint once and not again for each repetition', () => {
  const log = recordingLog();
  const complain = createErrorLog(log, 'the server is away');
  for (let i = 0; i < 1_000; i += 1) complain(new Error('refused'));
  complain(new Error('another'));
  expect(log.lines).toMatchObject([
    { level: 'warn', message: 'the server is away', details: { err: { message: 'refused' } } },
    { level: 'warn', message: 'the server is away', details: { err: { message: 'another' } } },
  ]);
});
