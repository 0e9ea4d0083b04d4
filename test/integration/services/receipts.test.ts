import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileId } from '#src/domain/ids.ts';
import { StorageError } from '#src/domain/errors.ts';
import { receiptText } from '#src/services/receipt.ts';
import {
  MODERATOR,
  newItem,
  newSeller,
  photoFile,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { eicarBehindJpeg } from '#test/support/hostile.ts';

let app: TestApp;
let isScannerDown = false;

beforeAll(async () => {
  app = await startApp({
    env: { QUEUE_ATTEMPTS: '2' },
    jobs: ({ scanner }) => ({
      scanner: {
        ...scanner,
        scan: (body, signal) =>
          isScannerDown
            ? Promise.reject(new StorageError('SCANNER_UNAVAILABLE'))
            : scanner.scan(body, signal),
      },
    }),
  });
});
afterAll(() => app.close());

async function upload(file = photoFile()) {
  const who = newSeller();
  const answer = await app.files.uploadItemPhoto(who, await newItem(app, who), await file, { waitMs: 0 });
  return { who, id: fileId(answer.photo.id) };
}

describe('the receipt of a photo', () => {
  test('that an earlier version checked says what was not looked for, and claims nothing', async () => {
    const { who, id } = await upload();
    await untilState(app, id, 'ready');
    const old = { exif: true, gps: true, xmp: false, iptc: false, icc: false, comment: false };
    const findings = { ...old, thumbnail: true, makerNotes: true, trailingBytes: 38 };
    await app.db
      .updateTable('files')
      .set({ findings: JSON.stringify(findings) })
      .where('id', '=', id)
      .execute();
    await sql`update variants set report = report - 'recipe' where file_id = ${id}`.execute(app.db);
    const receipt = await app.files.getReceipt(who, id);
    const { contained, removed, outputs, recipes, trailingBytes } = receipt.statement;
    expect(contained).toContainEqual({ kind: 'gps', found: true });
    expect(contained).toContainEqual({ kind: 'xmp', found: false });
    expect(contained).toContainEqual({ kind: 'serialNumbers', found: null });
    expect(removed).toEqual(['gps', 'exif', 'makerNotes', 'thumbnail', 'trailingBytes']);
    expect([outputs.map(({ recipe }) => recipe), recipes, trailingBytes]).toEqual([
      Array(7).fill(null),
      [],
      38,
    ]);
    expect(receiptText(receipt)).toContain('Not looked for at the time: camera details,');
  });

  test('that waits because a check was down names its view as not public, and knows what was in it', async () => {
    isScannerDown = true;
    const { who, id } = await upload();
    await untilState(app, id, 'in_review');
    isScannerDown = false;
    const { statement } = await app.files.getReceipt(who, id);
    expect(statement.contained).toContainEqual({ kind: 'gps', found: true });
    expect(statement.outputs).toMatchObject([{ name: 'original', url: null, clean: true }]);
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'Fine' });
    await untilState(app, id, 'ready');
    const published = (await app.files.getReceipt(who, id)).statement;
    expect(published.outputs.filter(({ url }) => url !== null)).toHaveLength(7);
    expect(published.removed).toContain('gps');
  });

  test('claims nothing removed when an output was found unclean', async () => {
    const { who, id } = await upload();
    await untilState(app, id, 'ready');
    const report = { clean: false, findings: ['APP1:Exif'], width: 1, height: 1, format: 'jpeg' };
    await app.db
      .updateTable('variants')
      .set({ report: JSON.stringify(report) })
      .where('file_id', '=', id)
      .where('name', '=', 'thumbnail')
      .execute();
    const receipt = await app.files.getReceipt(who, id);
    expect(receipt.statement.removed).toEqual([]);
    expect(receiptText(receipt)).toMatch(/not proved[^]*found APP1:Exif/);
  });

  test('that was refused before it was opened does not exist', async () => {
    const { name, type, bytes } = await eicarBehindJpeg();
    const { who, id } = await upload(Promise.resolve({ filename: name, type, body: bytes }));
    await untilState(app, id, 'rejected');
    await expect(app.files.getReceipt(who, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
