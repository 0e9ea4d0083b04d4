import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eicarFile } from '#src/domain/eicar.ts';
import type { Scanner } from '#src/ports/scanner.ts';
import { until } from '#test/support/app.ts';
import { clamdAt } from '#test/support/clamd-client.ts';
import { type ClamdServer, hasClamd, startClamd } from '#test/support/clamd-server.ts';
import { describeScanner } from './scanner.contract.ts';

const missing = hasClamd() ? undefined : 'clamd is not installed';
const DAY_MS = 86_400_000;

let server: ClamdServer;
if (missing === undefined) {
  beforeAll(async () => {
    server = await startClamd();
  }, 60_000);
  afterAll(() => server.stop());
}

describeScanner({ product: 'clamd over TCP', missing, open: async () => clamdAt(server.url) });
describeScanner({
  product: 'clamd over a unix socket',
  missing,
  open: async () => clamdAt(server.socketUrl),
});

const UNAVAILABLE = { name: 'StorageError', code: 'SCANNER_UNAVAILABLE' };
const because = (reason: RegExp) => ({ ...UNAVAILABLE, details: { reason: expect.stringMatching(reason) } });

describe.skipIf(missing !== undefined)('clamd (skipped where it is not installed)', () => {
  test('with a StreamMaxLength below our files: ping names it, longer files have no verdict, shorter ones do', async () => {
    const small = await startClamd({ streamMax: '1M' });
    const scanner = clamdAt(small.url);
    try {
      expect((await scanner.ping()).problem).toMatch(/StreamMaxLength is below the 10485760 bytes/);
      for (let round = 0; round < 20; round += 1)
        await expect(scanner.scan(Buffer.alloc(9_000_000))).rejects.toMatchObject(
          because(/INSTREAM size limit exceeded/),
        );
      expect((await scanner.scan(eicarFile())).verdict).toBe('infected');
    } finally {
      await scanner.close();
      await small.stop();
    }
  }, 60_000);

  test('with one that is long enough: nothing to mend but that nobody knows the age of these signatures', async () => {
    expect((await clamdAt(server.url).ping()).problem).toMatch(/^it has no daily signatures/);
  });

  test('that was killed has no verdict, and one that is back has', async () => {
    const own = await startClamd();
    const scanner = clamdAt(own.url);
    try {
      await own.kill();
      await expect(scanner.scan(eicarFile())).rejects.toMatchObject(because(/ECONNREFUSED/));
      await expect(scanner.ping()).rejects.toMatchObject(UNAVAILABLE);
      await own.restart();
      expect((await scanner.scan(eicarFile())).verdict).toBe('infected');
    } finally {
      await scanner.close();
      await own.stop();
    }
  }, 60_000);

  test('that is stopped is waited for until the deadline, by those in the queue too', async () => {
    const own = await startClamd();
    const scanner = clamdAt(own.url, { timeoutMs: 500, connections: 2 });
    try {
      own.pause();
      const scans = await Promise.allSettled(
        Array.from({ length: 5 }, () => scanner.scan(Buffer.alloc(2_000_000))),
      );
      for (const scan of scans) expect(scan).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
      own.resume();
      expect((await scanner.scan(eicarFile())).verdict).toBe('infected');
    } finally {
      await scanner.close();
      await own.stop();
    }
  }, 60_000);

  test('tells the date of its signatures, and old ones are a problem or, if so configured, no verdict', async () => {
    const own = await startClamd();
    const strict: Scanner = clamdAt(own.url, { signatures: { maxAgeDays: 7, refuseOutdated: true } });
    try {
      await own.dateSignatures(new Date(Date.now() - 2 * DAY_MS));
      const young = await clamdAt(own.url).scan(Buffer.from('x'));
      expect(young.version).toMatch(/^ClamAV \d+\.\d+\.\d+\/27500\/[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d /);
      expect(await clamdAt(own.url).ping()).toEqual({ version: young.version, problem: null });
      expect((await strict.scan(Buffer.from('x'))).verdict).toBe('clean');

      await own.dateSignatures(new Date(Date.now() - 9 * DAY_MS));
      expect((await clamdAt(own.url).ping()).problem).toMatch(/^its signatures \(27500\) are 9 days old$/);
      expect((await clamdAt(own.url).scan(Buffer.from('x'))).verdict).toBe('clean');
      await expect(strict.scan(Buffer.from('x'))).rejects.toMatchObject(because(/9 days old/));
      expect((await strict.scan(eicarFile())).verdict).toBe('infected');
    } finally {
      await strict.close();
      await own.stop();
    }
  }, 60_000);

  test('keeps no connection once its scans are done', async () => {
    const scanner = clamdAt(server.socketUrl);
    await Promise.all(Array.from({ length: 20 }, () => scanner.scan(Buffer.alloc(100_000))));
    const { readdir, readlink } = await import('node:fs/promises');
    const sockets = async () => {
      const open = await readdir('/proc/self/fd');
      const links = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return links.filter((link) => link.startsWith('socket:')).length;
    };
    const before = await sockets();
    await Promise.all(Array.from({ length: 20 }, () => scanner.scan(Buffer.alloc(100_000))));
    await until('its sockets to be closed', async () => ((await sockets()) <= before ? true : null));
    await scanner.close();
    await expect(scanner.scan(eicarFile())).rejects.toMatchObject(UNAVAILABLE);
  });
});
