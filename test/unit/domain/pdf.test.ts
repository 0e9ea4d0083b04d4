import { readdirSync, readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { findPdfProblem } from '#src/domain/pdf/inspect.ts';
import { pdf as scripted } from '#test/support/hostile.ts';
import { CATALOG, packed, pdfWith, stream } from '#test/support/pdf.ts';

const FOLDER = 'test/fixtures/pdf';
const fixtures = readdirSync(FOLDER).filter((name) => name.endsWith('.pdf'));
const problemOf = (name: string) => findPdfProblem(readFileSync(`${FOLDER}/${name}`));

const SCRIPT = '<</S/JavaScript/JS(app.alert\\(1\\))>>';
const active = (what: string | RegExp = 'JavaScript') => ({
  kind: 'active',
  what: expect.stringMatching(what),
});
const UNREADABLE = expect.objectContaining({ kind: 'unreadable' });

describe('PDFs of real tools', () => {
  test.each(fixtures.filter((name) => name.startsWith('honest-')))('%s is taken', (name) =>
    expect(problemOf(name)).toBeNull(),
  );

  test.each([
    ['script.pdf', active()],
    ['script-packed.pdf', active()],
    ['launch-packed.pdf', active('starts a program')],
    ['submit-packed.pdf', active('sends data')],
    ['remote.pdf', active('another file')],
    ['attachment.pdf', active('embedded file')],
    ['attachment-packed.pdf', active('embedded file')],
    ['xfa-packed.pdf', active('XFA')],
    ['encrypted.pdf', { kind: 'encrypted' }],
    ['encrypted-packed.pdf', { kind: 'encrypted' }],
  ])('%s is refused', (name, problem) => expect(problemOf(name)).toEqual(problem));

  test('each of them is in one of the two lists', () => {
    expect(fixtures.length).toBe(16);
  });
});

test('a page that does nothing is taken, and what strings and comments say is not looked at', () => {
  expect(findPdfProblem(pdfWith())).toBeNull();
  const words = '<</Title(/JavaScript \\( /Launch) /Note (a (nested /JS) string)>> % /EmbeddedFile\n';
  expect(findPdfProblem(pdfWith([words]))).toBeNull();
  expect(findPdfProblem(pdfWith([stream('', Buffer.from('BT (/JavaScript) Tj /Launch ET'))]))).toBeNull();
});

describe('a script is found', () => {
  test.each<[string, Buffer]>([
    ['in the catalog', scripted().bytes],
    ['under an escaped name', pdfWith(['<</S/J#61va#53cript/J#53(x)>>'])],
    ['where every character is escaped', pdfWith(['<</S/#4A#61#76#61#53#63#72#69#70#74>>'])],
    ['in a name that stands by itself', pdfWith(['<</S 5 0 R>>', '/JavaScript'])],
    ['that no table names', pdfWith(['null', SCRIPT])],
    [
      'in an earlier revision',
      Buffer.concat([pdfWith([SCRIPT]), Buffer.from('4 0 obj null endobj\n%%EOF\n')]),
    ],
    ['behind the end mark', Buffer.concat([pdfWith(), Buffer.from(`9 0 obj ${SCRIPT} endobj`)])],
    ['behind a comment that seems to end the object', pdfWith([`<</A 1 % endobj stream\n/AA${SCRIPT}>>`])],
    ['behind a string that seems to end the object', pdfWith([`<</A(endobj \\) obj)/AA${SCRIPT}>>`])],
    ['in an object within a string', pdfWith([`(9 0 obj ${SCRIPT} endobj)`])],
    ['in an object within a stream', pdfWith([stream('', Buffer.from(`9 0 obj ${SCRIPT} endobj`))])],
    ['in an object without blanks', pdfWith([`null endobj 9 0 obj${SCRIPT}`])],
    ['packed', pdfWith([packed(SCRIPT)])],
    [
      'packed under escaped names',
      pdfWith([packed('<</S/J#61vaScript>>', '/Typ#65/Obj#53tm/Filter/Fl#61teDecode')]),
    ],
    ['packed without a type', pdfWith([packed(SCRIPT, '/Filter/FlateDecode')])],
    ['packed with a type elsewhere', pdfWith([packed(SCRIPT, '/Type 9 0 R/Filter[/FlateDecode]')])],
    ['packed with the short name of the filter', pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter/Fl')])],
    ['packed with a wrong length', pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter/FlateDecode/Length 1')])],
    [
      'in an object stream that is not packed',
      pdfWith([stream('/Type/ObjStm/N 1/First 5', Buffer.from(`50 0 ${SCRIPT}`))]),
    ],
    ['in the trailer', pdfWith([], { end: `trailer <</Root 1 0 R/X${SCRIPT}>>` })],
    [
      'packed within the bytes of another stream',
      pdfWith([stream('', Buffer.concat([Buffer.from('9 0 obj '), packed(SCRIPT)]))]),
    ],
  ])('%s', (_name, bytes) => expect(findPdfProblem(bytes)).toEqual(active()));
});

test.each([
  ['/Rendition', 'JavaScript or multimedia'],
  ['/Launch', 'starts a program'],
  ['/EmbeddedFile', 'embedded file'],
  ['/EmbeddedFiles', 'embedded file'],
  ['/EF', 'embedded file'],
  ['/FileAttachment', 'embedded file'],
  ['/GoToE', 'embedded file'],
  ['/GoToR', 'another file'],
  ['/RichMedia', 'multimedia'],
  ['/Movie', 'multimedia'],
  ['/Sound', 'multimedia'],
  ['/3D', 'multimedia'],
  ['/XFA', 'XFA'],
  ['/SubmitForm', 'sends data'],
  ['/ImportData', 'loads data'],
])('%s is refused, in the open and packed', (name, what) => {
  expect(findPdfProblem(pdfWith([`<</S${name}>>`]))).toEqual(active(what));
  expect(findPdfProblem(pdfWith([packed(`<</S${name}>>`)]))).toEqual(active(what));
});

describe('what cannot be looked into is refused', () => {
  const bomb = deflateSync(Buffer.alloc(100 * 1024 * 1024));
  test.each<[string, Buffer]>([
    ['nothing but the first five bytes', Buffer.from('%PDF-')],
    ['no pages', pdfWith([], { catalog: '<</Type/Catalog>>' }).subarray(0, 40)],
    [
      'an object stream of a hundred megabytes',
      pdfWith([stream('/Type/ObjStm/N 1/First 5/Filter/FlateDecode', bomb)]),
    ],
    [
      'a damaged object stream',
      pdfWith([
        stream(
          '/Type/ObjStm/N 1/First 5/Filter/FlateDecode',
          deflateSync(Buffer.alloc(999, 1)).subarray(0, 8),
        ),
      ]),
    ],
    [
      'an object stream packed twice',
      pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter[/FlateDecode/FlateDecode]')]),
    ],
    ['an object stream packed in another way', pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter/LZWDecode')])],
    ['an object stream whose filter is elsewhere', pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter 9 0 R')])],
    [
      'an object stream with a predictor',
      pdfWith([packed(SCRIPT, '/Type/ObjStm/Filter/FlateDecode/DecodeParms<</Predictor 12>>')]),
    ],
  ])('%s', (_name, bytes) => expect(findPdfProblem(bytes)).toEqual(UNREADABLE));

  test('many object streams that are too much together', () => {
    const one = stream(
      '/Type/ObjStm/N 1/First 5/Filter/FlateDecode',
      deflateSync(Buffer.alloc(5_000_000, 32)),
    );
    expect(findPdfProblem(pdfWith(Array.from({ length: 6 }, () => one)))).toBeNull();
    expect(findPdfProblem(pdfWith(Array.from({ length: 7 }, () => one)))).toEqual(UNREADABLE);
  });

  test('objects in strings in objects, so that the same bytes would be read again and again', () => {
    const nested = Buffer.from('1 0 obj ('.repeat(100_000));
    expect(findPdfProblem(Buffer.concat([pdfWith(), nested]))).toEqual(UNREADABLE);
  });
});

test('a catalog that names a script only in words has none', () => {
  expect(findPdfProblem(pdfWith([], { catalog: `${CATALOG.slice(0, -2)}/Lang(/JS)>>` }))).toBeNull();
});
