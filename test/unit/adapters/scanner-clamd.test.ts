import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { readAnswer } from '#src/adapters/scanner/clamd/answers.ts';
import { problemOfAge, readVersion } from '#src/adapters/scanner/clamd/version.ts';
import { until } from '#test/support/app.ts';
import { clamdAt } from '#test/support/clamd-client.ts';
import { type ClamdStub, startClamdStub } from '#test/support/clamd-stub.ts';

const VERSION = '1: ClamAV 1.4.6/27500/Mon Nov 23 09:30:12 2026\0';
const END = '\0\0\0\0';
const BODY = Buffer.from('the bytes of a file');

const stubs: ClamdStub[] = [];
afterEach(async () => {
  for (const made of stubs.splice(0)) await made.close();
});
async function stub(answer: (socket: Socket, text: string) => void) {
  const made = await startClamdStub(answer);
  stubs.push(made);
  return made;
}

/** Answers once the whole file has come. */
const saying = (answer: string) =>
  stub((socket, text) => void (text.endsWith(END) && socket.write(answer, 'latin1')));

describe('the answers of a clamd', () => {
  test.each([
    ['OK', 'stream: OK', { verdict: 'clean', signature: null }],
    [
      'FOUND',
      'stream: Win.Test.EICAR_HDB-1 FOUND',
      { verdict: 'infected', signature: 'Win.Test.EICAR_HDB-1' },
    ],
    [
      'FOUND with a hash',
      'stream: Eicar(44d88612fea8a8f36de82e1278abb02f:68) FOUND',
      { verdict: 'infected', signature: 'Eicar(44d88612fea8a8f36de82e1278abb02f:68)' },
    ],
  ])('%s is a verdict', async (_name, answer, verdict) => {
    const { url } = await saying(`${VERSION}2: ${answer}\0`);
    expect(await clamdAt(url).scan(BODY)).toEqual({
      ...verdict,
      scanner: 'clamd',
      version: 'ClamAV 1.4.6/27500/Mon Nov 23 09:30:12 2026',
    });
  });

  test.each([
    ['nothing, and a closed connection', ''],
    ['half an answer', `${VERSION}2: stream: O`],
    ['an answer without its end', `${VERSION}2: stream: OK`],
    ['an answer ended by a newline', `${VERSION}2: stream: OK\n`],
    ['a newline in the answer', `${VERSION}2: stream: OK\n\0`],
    ['two answers in one', `${VERSION}2: stream: OK\nstream: Evil FOUND\0`],
    ['a NUL in the answer', `${VERSION}2: stream: \0OK\0`],
    ['no number', `${VERSION}stream: OK\0`],
    ['another number', `${VERSION}3: stream: OK\0`],
    ['an error', `${VERSION}2: stream: Can't allocate memory ERROR\0`],
    ['a name with a blank', `${VERSION}2: stream: Evil OK FOUND\0`],
    ['lower case', `${VERSION}2: stream: ok\0`],
    ['another command’s answer', `${VERSION}2: PONG\0`],
    ['an unknown command', 'UNKNOWN COMMAND\0'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\nstream: OK\0'],
    ['a version of something else', '1: SomeAV 7\x002: stream: OK\0'],
    ['no version', '2: stream: OK\0'],
    ['far too much', `${VERSION}2: ${'x'.repeat(10_000)}`],
    [
      'a limit that it did not look behind',
      `${VERSION}2: stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0`,
    ],
  ])('%s: no verdict', async (_name, answer) => {
    const { url } = await stub((socket, text) => void (text.endsWith(END) && socket.end(answer, 'latin1')));
    await expect(clamdAt(url, { timeoutMs: 3000 }).scan(BODY)).rejects.toMatchObject({
      code: 'SCANNER_UNAVAILABLE',
    });
  });

  test('a verdict before it has seen all bytes is none', async () => {
    const { url } = await stub((socket, text) => {
      if (text.includes('INSTREAM\0') && !socket.writableEnded) socket.end(`${VERSION}2: stream: OK\0`);
    });
    await expect(clamdAt(url).scan(Buffer.alloc(5_000_000))).rejects.toMatchObject({
      code: 'SCANNER_UNAVAILABLE',
    });
  });
});

test('what clamd said before it reset the connection in the middle is read', async () => {
  const { url } = await stub((socket, text) => {
    if (socket.writableEnded || text.endsWith('IDSESSION\0')) return;
    socket.pause();
    // Some of these arrive after the reset, and are lost: then it is asked about the length alone.
    const number = text.includes('VERSION') ? `${VERSION}2` : '1';
    socket.end(`${number}: INSTREAM size limit exceeded. ERROR\0`, () => socket.resetAndDestroy());
  });
  for (let round = 0; round < 10; round += 1)
    await expect(clamdAt(url).scan(Buffer.alloc(8_000_000))).rejects.toMatchObject({
      code: 'SCANNER_UNAVAILABLE',
      details: { reason: expect.stringMatching(/INSTREAM size limit exceeded/) },
    });
});

test('a reset without a word is no verdict', async () => {
  const { url } = await stub((socket) => socket.resetAndDestroy());
  await expect(clamdAt(url).scan(Buffer.alloc(8_000_000))).rejects.toMatchObject({
    code: 'SCANNER_UNAVAILABLE',
  });
});

test('a clamd that does not read holds the source back: it is neither read nor kept', async () => {
  const { url } = await stub((socket) => socket.pause());
  let given = 0;
  const source = new Readable({
    read() {
      given += 1_000_000;
      this.push(Buffer.alloc(1_000_000));
    },
  });
  const controller = new AbortController();
  const scan = clamdAt(url).scan(source, controller.signal);
  scan.catch(() => undefined);
  let last = -1;
  await until('the source to be held back', async () => {
    await pause(100);
    const isStill = given > 0 && given === last;
    last = given;
    return isStill ? true : null;
  });
  expect(given).toBeLessThan(20_000_000);
  controller.abort();
  await expect(scan).rejects.toMatchObject({ code: 'ABORTED' });
  expect(source.destroyed).toBe(true);
});

test('no more connections than allowed; those who wait come in turn, or leave at their signal', async () => {
  const waiting: Socket[] = [];
  const server = await stub((socket, text) => void (text.endsWith(END) && waiting.push(socket)));
  const scanner = clamdAt(server.url, { connections: 2 });
  const ended: string[] = [];
  const start = (name: string, signal?: AbortSignal) =>
    scanner.scan(BODY, signal).then(
      () => ended.push(name),
      (error: { code: string }) => ended.push(`${name} ${error.code}`),
    );
  const leaving = new AbortController();
  const scans = [start('a'), start('b'), start('c', leaving.signal), start('d')];
  await until('two to be served', async () => (waiting.length === 2 ? true : null));
  expect(server.open()).toBe(2);
  leaving.abort();
  await scans[2];
  expect(ended).toEqual(['c ABORTED']);
  const answer = () => waiting.shift()?.end(`${VERSION}2: stream: OK\0`);
  answer();
  await until('the next', async () => (waiting.length === 2 ? true : null));
  answer();
  answer();
  await Promise.all(scans);
  expect(ended.toSorted()).toEqual(['a', 'b', 'c ABORTED', 'd']);
});

test('closing ends scans that are under way', async () => {
  const { url } = await stub(() => undefined);
  const scanner = clamdAt(url);
  const scan = scanner.scan(BODY);
  scan.catch(() => undefined);
  await scanner.close();
  await expect(scan).rejects.toMatchObject({ code: 'SCANNER_UNAVAILABLE' });
});

test.each([
  ['ClamAV 1.4.6/27500/Mon Nov 23 09:30:12 2026', { number: 27500, from: new Date('2026-11-23T09:30:12Z') }],
  ['ClamAV 1.4.6/27500/Sun Nov  1 09:30:12 2026', { number: 27500, from: new Date('2026-11-01T09:30:12Z') }],
  ['ClamAV 1.4.6', null],
])('reads the version %s', (text, signatures) => {
  expect(readVersion(text)).toMatchObject({ text, engine: '1.4.6', signatures });
});

test.each([
  '',
  'ClamAV',
  'ClamAV 1.4.6/x',
  'ClamAV 1.4.6/27500/yesterday',
  'ClamAV 1.4.6\n',
  'COMMAND READ TIMED OUT',
])('reads no version in "%s"', (text) => expect(readVersion(text)).toBeNull());

test('signatures are too old after so many days, not at that many', () => {
  const version = readVersion('ClamAV 1.4.6/27500/Mon Nov 23 09:30:12 2026');
  if (version === null) throw new Error('no version');
  expect(problemOfAge(version, 7, new Date('2026-12-01T09:30:11Z'))).toBeNull();
  expect(problemOfAge(version, 7, new Date('2026-12-01T09:30:12Z'))).toBe(
    'its signatures (27500) are 8 days old',
  );
});

test('an error of clamd is not clear, whatever it says', () => {
  expect(readAnswer('stream: OK ERROR')).toEqual({ kind: 'unclear' });
});
