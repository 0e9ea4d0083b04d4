import { deflateSync } from 'node:zlib';
import type { UploadFile } from './hostile.ts';

export const CATALOG = '<</Type/Catalog/Pages 2 0 R>>';
const PAGES = '<</Type/Pages/Kids[3 0 R]/Count 1>>';
const PAGE = '<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>';

/** A PDF of one empty page, with more objects, numbered from 4, in their own words. */
export function pdfWith(
  more: readonly (string | Buffer)[] = [],
  options: { catalog?: string; end?: string } = {},
) {
  const objects = [options.catalog ?? CATALOG, PAGES, PAGE, ...more];
  const parts = objects.flatMap((object, index) => [
    Buffer.from(`${index + 1} 0 obj\n`),
    Buffer.from(object),
    Buffer.from('\nendobj\n'),
  ]);
  const end = options.end ?? `trailer <</Root 1 0 R/Size ${objects.length + 1}>>\nstartxref\n0\n%%EOF\n`;
  return Buffer.concat([Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), ...parts, Buffer.from(end)]);
}

/** A stream with that dictionary's entries. */
export function stream(entries: string, content: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`<<${entries}/Length ${content.length}>>\nstream\r\n`),
    content,
    Buffer.from('\nendstream'),
  ]);
}

/** An object stream that holds one object, as number 50. */
export function packed(object: string, entries = '/Type/ObjStm/Filter/FlateDecode'): Buffer {
  return stream(`${entries}/N 1/First 5`, deflateSync(Buffer.from(`50 0 ${object}`)));
}

/** An empty page that does nothing, as a document. */
export function plainPdf(): UploadFile {
  return { name: 'document.pdf', type: 'application/pdf', bytes: pdfWith() };
}
