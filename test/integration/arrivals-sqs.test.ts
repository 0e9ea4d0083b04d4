import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSqsArrivals } from '#src/adapters/arrivals/sqs.ts';
import type { Arrivals } from '#src/ports/arrivals.ts';
import {
  AWS_CREDENTIALS,
  AWS_ENDPOINT,
  AWS_REGION,
  createTestQueue,
  objectCreated,
  type TestQueue,
} from '#test/support/aws.ts';
import { recordingLog } from '#test/support/recording-log.ts';

const BUCKET = 'photos';

describe.skipIf(AWS_ENDPOINT === undefined)('arrivals by SQS (skipped without TEST_AWS_ENDPOINT)', () => {
  let queue: TestQueue;
  let arrivals: Arrivals;
  let log: ReturnType<typeof recordingLog>;
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', AWS_CREDENTIALS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', AWS_CREDENTIALS.secretAccessKey);
    queue = await createTestQueue({ VisibilityTimeout: '1' });
    log = recordingLog();
    arrivals = createSqsArrivals({ queueUrl: queue.url, bucket: BUCKET, region: AWS_REGION, log });
  });
  afterEach(async () => {
    await arrivals.close(1000);
    await queue.remove();
    vi.unstubAllEnvs();
  });

  test('each is taken and its message deleted; those of others are deleted unseen', async () => {
    const taken: string[] = [];
    await arrivals.listen(async (key) => void taken.push(key));
    await queue.send(objectCreated('others', 'temp/uploads/x'));
    for (let count = 0; count < 25; count += 1)
      await queue.send(objectCreated(BUCKET, `temp/uploads/${count}`));
    await expect.poll(() => new Set(taken).size, { timeout: 15_000 }).toBe(25);
    await expect.poll(() => queue.count(), { timeout: 15_000 }).toBe(0);
    expect(taken).not.toContain('temp/uploads/x');
  });

  test('one that cannot be taken now is told again', async () => {
    let tries = 0;
    const late = createSqsArrivals({
      queueUrl: queue.url,
      bucket: BUCKET,
      region: AWS_REGION,
      visibleAgainSeconds: 1,
      log,
    });
    await late.listen(async () => {
      tries += 1;
      if (tries < 3) throw new Error('the database is away');
    });
    await queue.send(objectCreated(BUCKET, 'temp/uploads/a'));
    await expect.poll(() => tries, { timeout: 15_000 }).toBe(3);
    await expect.poll(() => queue.count(), { timeout: 15_000 }).toBe(0);
    await late.close(1000);
  });

  test('what cannot be read is not deleted, and keeps nothing else from being taken', async () => {
    const taken: string[] = [];
    await arrivals.listen(async (key) => void taken.push(key));
    await queue.send('hello');
    await queue.send(objectCreated(BUCKET, 'temp/uploads/a'));
    await expect.poll(() => taken, { timeout: 15_000 }).toEqual(['temp/uploads/a']);
    await expect.poll(() => queue.count(), { timeout: 15_000 }).toBe(1);
    expect(log.lines.map((line) => line.message)).toContain('a message of arrivals cannot be read');
  });

  test('closing waits for what is being taken, and takes no more', async () => {
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    let isDone = false;
    await arrivals.listen(async () => {
      began.resolve();
      await gate.promise;
      isDone = true;
    });
    await queue.send(objectCreated(BUCKET, 'temp/uploads/a'));
    await began.promise;
    const closed = arrivals.close(10_000);
    await queue.send(objectCreated(BUCKET, 'temp/uploads/b'));
    gate.resolve();
    await closed;
    expect(isDone).toBe(true);
    expect(await queue.count()).toBe(1);
  });

  test('a message whose taking outlasts its time is kept from others meanwhile', async () => {
    const slow = createSqsArrivals({
      queueUrl: queue.url,
      bucket: BUCKET,
      region: AWS_REGION,
      visibleAgainSeconds: 2,
      log,
    });
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    await slow.listen(async () => {
      calls += 1;
      await gate.promise;
    });
    await queue.send(objectCreated(BUCKET, 'temp/uploads/a'));
    await expect.poll(() => calls, { timeout: 15_000 }).toBe(1);
    const until = Date.now() + 5000;
    await expect.poll(() => Date.now() > until, { timeout: 10_000 }).toBe(true);
    expect(calls).toBe(1);
    gate.resolve();
    await expect.poll(() => queue.count(), { timeout: 15_000 }).toBe(0);
    await slow.close(1000);
  });

  test('a queue that is not there is said at the start', async () => {
    const queueUrl = `${AWS_ENDPOINT}/000000000000/nobody-made-this`;
    const none = createSqsArrivals({ queueUrl, bucket: BUCKET, region: AWS_REGION, log });
    await expect(none.listen(async () => undefined)).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('EVENTS_QUEUE_URL'),
    });
    await none.close(100);
  });
});
