import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { fileId, userId } from '#src/domain/ids.ts';
import {
  expectNoOrphans,
  distinctPhoto,
  MODERATOR,
  newSeller,
  OTHER_SELLER,
  SERVICE,
  startApp,
  storedKeys,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { eicarBehindJpeg, htmlNamedJpg, pdf as scriptedPdf } from '#test/support/hostile.ts';
import { packed, pdfWith, plainPdf } from '#test/support/pdf.ts';
import { photoPath } from '#test/support/photos.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const WAIT = { waitMs: 15_000 };

async function uploaded(body: Uint8Array, filename = 'passport.jpg') {
  const who = newSeller();
  const file = { filename, type: null, body };
  const { photo } = await app.files.uploadVerificationDocument(who, userId(who.userId), file, WAIT);
  return { who, id: fileId(photo.id), photo };
}

test('a document is ready once it was scanned, encrypted, and nowhere readable on disk', async () => {
  const mark = 'PASSPORT-NUMBER-OF-NOBODY';
  const { body } = await distinctPhoto(mark);
  const { who, id, photo } = await uploaded(body);
  expect(photo).toMatchObject({ state: 'ready', variants: {}, position: null });
  expect(await storedKeys(app)).toContain(`verification/documents/${who.userId}/${id}.enc`);
  expect(spawnSync('grep', ['-r', '-l', mark, app.dataDir], { encoding: 'utf8' }).stdout).toBe('');
  const opened = await app.files.openVerificationDocument(who, id);
  expect(opened).toMatchObject({ filename: 'passport.jpg', contentType: 'image/jpeg' });
  expect((await buffer(opened.body)).equals(body)).toBe(true);
  await expectNoOrphans(app);
});

test('a PDF is a document, and HTML is not', async () => {
  const { bytes } = plainPdf();
  const { who, id } = await uploaded(bytes, 'form.pdf');
  const opened = await app.files.openVerificationDocument(who, id);
  expect(opened.contentType).toBe('application/pdf');
  opened.body.destroy();
  await expect(uploaded(htmlNamedJpg().bytes)).rejects.toMatchObject({
    code: 'UNSUPPORTED_TYPE',
    message: 'A document is a JPEG, PNG or WebP picture, or a PDF.',
  });
});

test('who reads is written down before the first byte, and others may not', async () => {
  const { who, id } = await uploaded(await readFile(photoPath('lumia-820-starfish.jpg')));
  for (const other of [OTHER_SELLER, SERVICE])
    await expect(app.files.openVerificationDocument(other, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(app.files.listVerificationDocuments(OTHER_SELLER, userId(who.userId))).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(app.files.listVerificationDocuments(SERVICE, userId(who.userId))).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(await app.files.listVerificationDocuments(MODERATOR, userId(who.userId))).toHaveLength(1);
  const { body } = await app.files.openVerificationDocument(MODERATOR, id);
  const audited = await app.db.selectFrom('audit.entries').selectAll().where('file_id', '=', id).execute();
  expect(audited.map((entry) => [entry.user_id, entry.action])).toEqual([
    [MODERATOR.userId, 'document.read'],
  ]);
  body.destroy();
});

test('no byte of a document is read when the entry cannot be written, and no deletion happens', async () => {
  const { who, id } = await uploaded(await readFile(photoPath('lumia-820-starfish.jpg')));
  const opened = vi.spyOn(app.store, 'get');
  await sql`create function refuse_entry() returns trigger language plpgsql as $$ begin raise 'full'; end $$`.execute(
    app.db,
  );
  await sql`create trigger refuse before insert on audit.entries for each row execute function refuse_entry()`.execute(
    app.db,
  );
  try {
    await expect(app.files.openVerificationDocument(who, id)).rejects.toThrow('full');
    await expect(app.files.deleteVerificationDocument(who, id)).rejects.toThrow('full');
  } finally {
    await sql`drop trigger refuse on audit.entries`.execute(app.db);
  }
  expect(opened.mock.calls.map(([key]) => key)).not.toContain(
    `verification/documents/${who.userId}/${id}.enc`,
  );
  opened.mockRestore();
  expect(await keysOfOwner(who.userId)).toHaveLength(1);
  const { body } = await app.files.openVerificationDocument(who, id);
  body.destroy();
});

test('malware in a document: rejected, its object and its key gone', async () => {
  const who = newSeller();
  const { bytes } = await eicarBehindJpeg();
  const file = { filename: 'id.jpg', type: null, body: bytes };
  await expect(
    app.files.uploadVerificationDocument(who, userId(who.userId), file, WAIT),
  ).rejects.toMatchObject({ code: 'MALWARE_FOUND' });
  await expectNoOrphans(app);
  expect((await storedKeys(app)).filter((key) => key.includes(who.userId))).toEqual([]);
  expect(await keysOfOwner(who.userId)).toEqual([]);
});

test.each([
  ['a script', scriptedPdf().bytes, 'UNSUPPORTED_TYPE', 'A PDF with JavaScript is not accepted.'],
  [
    'a packed attachment',
    pdfWith([packed('<</EF 9 0 R>>')]),
    'UNSUPPORTED_TYPE',
    'A PDF with an embedded file',
  ],
  [
    'encryption',
    pdfWith([], { end: 'trailer<</Root 1 0 R/Encrypt 9 0 R>>' }),
    'UNSUPPORTED_TYPE',
    'A PDF that is encrypted',
  ],
  ['nothing in it', Buffer.from('%PDF-1.7 and that is all'), 'INVALID_IMAGE', 'The document is damaged'],
])(
  'a PDF with %s: rejected with its reason, its object and its key gone',
  async (_name, body, code, words) => {
    const who = newSeller();
    const file = { filename: 'id.pdf', type: null, body };
    await expect(
      app.files.uploadVerificationDocument(who, userId(who.userId), file, WAIT),
    ).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    await expectNoOrphans(app);
    expect((await storedKeys(app)).filter((key) => key.includes(who.userId))).toEqual([]);
    expect(await keysOfOwner(who.userId)).toEqual([]);
  },
);

test('a stream that is too long, breaks or is empty leaves neither object nor key', async () => {
  const who = newSeller();
  const user = userId(who.userId);
  async function* endless() {
    for (;;) yield Buffer.alloc(65_536);
  }
  async function* broken() {
    yield Buffer.alloc(100);
    throw new Error('the line was cut');
  }
  const closedEarly = new Readable({ read() {} });
  closedEarly.push(Buffer.alloc(100));
  setTimeout(() => closedEarly.destroy(), 20);
  for (const body of [Readable.from(endless()), Readable.from(broken()), closedEarly, Buffer.alloc(0)])
    await expect(
      app.files.uploadVerificationDocument(who, user, { filename: 'x', type: null, body }, WAIT),
    ).rejects.toBeInstanceOf(StorageError);
  await expectNoOrphans(app);
  expect((await storedKeys(app)).filter((key) => key.includes(who.userId))).toEqual([]);
  expect(await keysOfOwner(who.userId)).toEqual([]);
});

test('deleting shreds: the key goes with the row, then the object', async () => {
  const { who, id } = await uploaded(await readFile(photoPath('lumia-820-starfish.jpg')));
  await expect(app.files.deleteVerificationDocument(OTHER_SELLER, id)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await app.files.deleteVerificationDocument(who, id);
  expect(await keysOfOwner(who.userId)).toEqual([]);
  await untilState(app, id, 'deleted');
  await expectNoOrphans(app);
  await expect(app.files.openVerificationDocument(who, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a document is not a photo: it has no address, no appeal and no decision', async () => {
  const { who, id } = await uploaded(await readFile(photoPath('lumia-820-starfish.jpg')));
  const request = { variant: 'original', format: null, expiresIn: 60 } as const;
  await expect(app.files.getPhotoUrl(who, id, request)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(app.files.setAlt(who, id, 'My passport')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(app.files.appeal(who, id, 'Please')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'x' })).rejects.toMatchObject(
    { code: 'FORBIDDEN' },
  );
  await expect(app.files.getPhoto(null, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('one that cannot be opened says why: refused, on its way, or gone', async () => {
  const who = newSeller();
  const file = { filename: 'id.jpg', type: null, body: htmlNamedJpg().bytes };
  await expect(
    app.files.uploadVerificationDocument(who, userId(who.userId), file, WAIT),
  ).rejects.toMatchObject({ code: 'UNSUPPORTED_TYPE' });
  const [refused] = await app.files.listVerificationDocuments(who, userId(who.userId));
  await expect(app.files.openVerificationDocument(who, fileId(refused?.id ?? ''))).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'A document is a JPEG, PNG or WebP picture, or a PDF.',
  });

  const { id, who: owner } = await uploaded(await readFile(photoPath('lumia-820-starfish.jpg')));
  const steps = [
    ['received', 'CONFLICT', 'The document is still being checked.'],
    ['checking', 'CONFLICT', 'The document is still being checked.'],
    ['deleting', 'NOT_FOUND', 'There is no such document.'],
    ['deleted', 'NOT_FOUND', 'There is no such photo.'],
  ] as const;
  for (const [state, code, message] of steps) {
    // Whatever way leads there: the trigger is asked nothing.
    await app.db.transaction().execute(async (trx) => {
      await sql`alter table files disable trigger files_transition`.execute(trx);
      await trx.updateTable('files').set({ state }).where('id', '=', id).execute();
      await sql`alter table files enable trigger files_transition`.execute(trx);
    });
    await expect(app.files.openVerificationDocument(owner, id)).rejects.toMatchObject({ code, message });
  }
});

function keysOfOwner(owner: string) {
  return app.db
    .selectFrom('document_keys')
    .innerJoin('files', 'files.id', 'document_keys.file_id')
    .select('file_id')
    .where('owner_id', '=', owner)
    .execute();
}
