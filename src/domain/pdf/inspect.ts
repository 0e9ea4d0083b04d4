import { inflateSync } from 'node:zlib';
import { type Budget, type NameListener, walkNames } from './names.ts';

/** Why a PDF is not taken. */
export type PdfProblem =
  | { readonly kind: 'active'; readonly what: string }
  | { readonly kind: 'encrypted' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Names without which a PDF cannot do what is said of it (ISO 32000-1, 7.11, 12.6, 13; XFA: 12.7.8). */
const ACTIVE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    JavaScript: 'JavaScript',
    JS: 'JavaScript',
    Rendition: 'JavaScript or multimedia',
    Launch: 'an action that starts a program',
    EmbeddedFile: 'an embedded file',
    EmbeddedFiles: 'an embedded file',
    EF: 'an embedded file',
    FileAttachment: 'an embedded file',
    GoToE: 'a link into an embedded file',
    GoToR: 'a link into another file',
    RichMedia: 'multimedia',
    RichMediaExecute: 'multimedia',
    Movie: 'multimedia',
    Sound: 'multimedia',
    '3D': 'multimedia',
    XFA: 'an XFA form',
    SubmitForm: 'a form that sends data',
    ImportData: 'a form that loads data',
  }),
);
/** Names of filters in full and as short as readers take them. */
const FILTERS = new Set(
  (
    'FlateDecode LZWDecode ASCIIHexDecode ASCII85Decode RunLengthDecode CCITTFaxDecode DCTDecode JBIG2Decode ' +
    'JPXDecode Crypt Fl LZW AHx A85 RL CCF DCT'
  ).split(' '),
);
const FLATE = new Set(['FlateDecode', 'Fl']);
/** Of what is unpacked from a file of ten megabytes at most. */
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;
/** Objects may hide in strings and streams of others, so that bytes are read more than once. */
const MAX_READINGS = 4;
/** What makes it a document at all. */
const NEEDED: readonly string[] = ['Root', 'Catalog', 'Pages'];
const MATTERING = new Set([
  ...ACTIVE.keys(),
  ...FILTERS,
  ...NEEDED,
  'Encrypt',
  'ObjStm',
  'First',
  'Filter',
  'F',
  'Predictor',
]);
/** First letters and lengths of the names that matter: others need not be read. */
const SHAPES = new Set([...MATTERING].map((name) => shapeOf(name.charCodeAt(0), name.length)));
const LINE_END = new Set([0x0a, 0x0d]);

/**
 * Looks for active content, embedded files and encryption in all objects of a PDF: those of earlier revisions, those that
 * no cross-reference table names or that lie inside of strings and streams, and those packed in object streams. What a
 * viewer might find anywhere is found here; nothing is run, and of streams only those that hold objects are unpacked,
 * within a budget. Bytes begin with `%PDF-`.
 */
export function findPdfProblem(bytes: Buffer): PdfProblem | null {
  const budget: Budget = { left: bytes.length * MAX_READINGS };
  const unpacked: Budget = { left: MAX_UNPACKED_BYTES };
  const whole = new Set<string>();
  const streams = new Set<number>();
  let closed: PdfProblem | null = null;
  for (const start of objectStarts(bytes)) {
    const { names, listener } = collect();
    const end = walkNames(bytes, start, 'keywords', budget, listener);
    if (end.by === 'budget') return unreadable('it is too entangled');
    const problem = problemOf(names);
    if (problem !== null) return problem;
    for (const name of names.keys()) whole.add(name);
    const holdsObjects = names.has('ObjStm') || names.has('First');
    if (end.by !== 'stream' || !holdsObjects || streams.has(end.at)) continue;
    streams.add(end.at);
    const content = unpack(bytes, end.at, names, unpacked);
    if (content === null) {
      // Of an encrypted one, which says so elsewhere, that is no wonder.
      closed = unreadable('an object stream cannot be unpacked');
      continue;
    }
    const inside = collect();
    walkNames(content, 0, 'bytes', { left: content.length }, inside.listener);
    const hidden = problemOf(inside.names);
    if (hidden !== null) return hidden;
    for (const name of inside.names.keys()) whole.add(name);
  }
  if (closed !== null) return closed;
  return NEEDED.every((name) => whole.has(name)) ? null : unreadable('it has no pages');
}

/** How often each name that matters was told. */
type Names = ReadonlyMap<string, number>;

function collect(): { readonly names: Names; readonly listener: NameListener } {
  const names = new Map<string, number>();
  const listener: NameListener = {
    mayMatter: (firstByte, length) => SHAPES.has(shapeOf(firstByte, length)),
    tell(name) {
      if (MATTERING.has(name)) names.set(name, (names.get(name) ?? 0) + 1);
    },
  };
  return { names, listener };
}

function shapeOf(firstByte: number, length: number): number {
  return length * 256 + firstByte;
}

/** Behind each `obj` and `trailer`, wherever they stand. */
function* objectStarts(bytes: Buffer): Generator<number> {
  for (const keyword of ['obj', 'trailer'])
    for (let at = bytes.indexOf(keyword); at >= 0; at = bytes.indexOf(keyword, at + keyword.length))
      if (bytes.toString('latin1', at - 3, at) !== 'end') yield at + keyword.length;
}

function problemOf(names: Names): PdfProblem | null {
  for (const name of names.keys()) {
    const what = ACTIVE.get(name);
    if (what !== undefined) return { kind: 'active', what };
  }
  return names.has('Encrypt') ? { kind: 'encrypted' } : null;
}

/** What a stream holds; null when that cannot be known for sure, or is more than is left of the budget. */
function unpack(bytes: Buffer, keywordEnd: number, names: Names, budget: Budget): Buffer | null {
  let from = keywordEnd;
  if (bytes[from] === 0x0d && bytes[from + 1] === 0x0a) from += 2;
  else if (LINE_END.has(bytes[from] ?? 0)) from += 1;
  const filters = [...names].filter(([name]) => FILTERS.has(name));
  if (!names.has('Filter') && !names.has('F') && filters.length === 0) {
    const end = bytes.indexOf('endstream', from);
    return take(bytes.subarray(from, end < 0 ? bytes.length : end), budget);
  }
  const isPlainFlate =
    filters.length === 1 &&
    filters.every(([name, times]) => FLATE.has(name) && times === 1) &&
    !names.has('Predictor');
  if (!isPlainFlate || budget.left <= 0) return null;
  try {
    return take(inflateSync(bytes.subarray(from), { maxOutputLength: budget.left }), budget);
  } catch {
    return null;
  }
}

function take(content: Buffer, budget: Budget): Buffer | null {
  budget.left -= content.length;
  return budget.left < 0 ? null : content;
}

function unreadable(why: string): PdfProblem {
  return { kind: 'unreadable', why };
}
