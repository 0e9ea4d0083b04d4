import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { announcedBody } from '#src/http/announced-body.ts';

const chunks = (...sizes: number[]) => Readable.from(sizes.map((size) => Buffer.alloc(size, 1)));

test('a form brings from one byte to as many as it allows', async () => {
  for (const sizes of [[1], [50, 50], [100]])
    expect((await buffer(announcedBody(chunks(...sizes), 100))).length).toBe(sizes.reduce((a, b) => a + b));
});

test('one byte more, or none, is not what was announced', async () => {
  for (const sizes of [[], [101], [50, 51]])
    await expect(buffer(announcedBody(chunks(...sizes), 100)), String(sizes)).rejects.toMatchObject({
      code: 'UPLOAD_MISMATCH',
    });
});

test('the first byte too many ends it: nothing after it is read', async () => {
  let read = 0;
  const endless = Readable.from(
    (async function* () {
      for (; read < 1_000_000; read++) yield Buffer.alloc(10);
    })(),
  );
  await expect(buffer(announcedBody(endless, 100))).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
  expect(read).toBeLessThan(100);
});

test('a source that fails fails what is read', async () => {
  const source = new Readable({ read() {} });
  const reading = buffer(announcedBody(source, 100));
  source.destroy(new Error('the client went away'));
  await expect(reading).rejects.toThrow('the client went away');
});

test('nothing is read, and nothing fails, before somebody reads', async () => {
  const source = chunks(101);
  const body = announcedBody(source, 100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(source.readableDidRead).toBe(false);
  expect(body.errored).toBeNull();
  await expect(buffer(body)).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
});
