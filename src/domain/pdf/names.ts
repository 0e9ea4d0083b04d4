const NUL = 0x00;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const FORM_FEED = 0x0c;
const RETURN = 0x0d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const COMMENT = 0x25;
const OPEN = 0x28;
const CLOSE = 0x29;
const WHITE = [NUL, TAB, LINE_FEED, FORM_FEED, RETURN, SPACE];
/** By byte: whether it is part of a word, neither white space nor a delimiter. */
const IS_REGULAR = new Uint8Array(256).fill(1);
for (const byte of [...WHITE, ...Buffer.from('()<>[]{}/%', 'latin1')]) IS_REGULAR[byte] = 0;
const HASH = 0x23;
/** The last letters of `obj` and `stream`. */
const LETTER_J = 0x6a;
const LETTER_M = 0x6d;
const ESCAPE = /#([0-9a-f]{2})/gi;

/** How many bytes may still be read; below zero it is too much. */
export interface Budget {
  left: number;
}

export interface End {
  /** `stream`: the bytes of a stream follow. */
  readonly by: 'stream' | 'object' | 'end of bytes' | 'budget';
  /** The byte behind. */
  readonly at: number;
}

export interface NameListener {
  readonly mayMatter: (firstByte: number, length: number) => boolean;
  readonly tell: (name: string) => void;
}

/**
 * Tells each name that stands outside of strings and comments (ISO 32000-1, 7.2 and 7.3), its #xx read, without slash.
 *
 * @param mayMatter names that are written plainly and for which it says no are not told
 * @param ends `keywords`: the walk ends where an object does; `bytes`: at the end only, as in an object stream
 */
export function walkNames(
  bytes: Buffer,
  from: number,
  ends: 'keywords' | 'bytes',
  budget: Budget,
  { mayMatter, tell }: NameListener,
): End {
  let at = from;
  const until = (next: number): number => {
    budget.left -= next - at;
    return next;
  };
  while (at < bytes.length && budget.left >= 0) {
    const byte = bytes[at] ?? NUL;
    if (byte === COMMENT) at = until(endOfComment(bytes, at));
    else if (byte === OPEN) at = until(endOfString(bytes, at, budget.left));
    else if (byte === SLASH) {
      const end = endOfWord(bytes, at + 1);
      const isEscaped = hasHash(bytes, at + 1, end);
      if (isEscaped || mayMatter(bytes[at + 1] ?? NUL, end - at - 1))
        tell(bytes.toString('latin1', at + 1, end).replace(ESCAPE, unescape));
      at = until(end);
    } else if (isRegular(byte)) {
      const end = endOfWord(bytes, at);
      const mayEnd = ends === 'keywords' && (bytes[end - 1] === LETTER_J || bytes[end - 1] === LETTER_M);
      const word = mayEnd ? bytes.toString('latin1', Math.max(at, end - 9), end) : '';
      at = until(end);
      if (word.endsWith('stream')) return { by: word.endsWith('endstream') ? 'object' : 'stream', at };
      if (word.endsWith('obj')) return { by: 'object', at };
    } else at = until(at + 1);
  }
  return { by: budget.left < 0 ? 'budget' : 'end of bytes', at };
}

function unescape(_match: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function isRegular(byte: number): boolean {
  return IS_REGULAR[byte] === 1;
}

function hasHash(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at] === HASH) return true;
  return false;
}

function endOfWord(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isRegular(bytes[at] ?? NUL)) at += 1;
  return at;
}

function endOfComment(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== LINE_FEED && bytes[at] !== RETURN) at += 1;
  return at;
}

/** Parentheses nest; one behind a backslash does not count. */
function endOfString(bytes: Buffer, from: number, most: number): number {
  let depth = 0;
  const end = Math.min(bytes.length, from + most + 1);
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === OPEN) depth += 1;
    else if (byte === CLOSE) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return end;
}
