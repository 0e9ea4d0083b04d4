import { contactsIn } from './contacts.ts';
import { mask } from './contact-mask.ts';

/** What a code says, by kind: never its content. */
export type CodeContent = 'product' | 'url' | 'email' | 'phone' | 'contact' | 'wifi' | 'payment' | 'text';

export interface CodeFacts {
  /** `qr` for codes of squares, which hold whole texts; `barcode` for those of lines. */
  readonly label: 'qr' | 'barcode';
  readonly content: CodeContent;
  /** What may be kept of it; empty where nothing may. */
  readonly masked: string;
}

const LINES =
  /^(?:EAN|UPC|Code(?:39|93|128|32)|Codabar|ITF|DataBar|DXFilm|Pharma|PZN|Telepen|LinearCodes|EAN-|ISBN)/i;

/** Beginnings by which scanners on phones know what to do (zxing wiki "Barcode Contents"; EPC069-12 for BCD). */
const CONTENTS: readonly (readonly [RegExp, CodeContent])[] = [
  [/^wifi:/i, 'wifi'],
  [/^(?:begin:vcard|mecard:|bizcard:|begin:vevent)/i, 'contact'],
  [/^(?:tel|sms|smsto|facetime):/i, 'phone'],
  [/^(?:mailto|matmsg|smtp):/i, 'email'],
  [/^(?:bcd\n|upi:|bitcoin:|ethereum:|lightning:|spc\r?\n|000201)/i, 'payment'],
  [/^(?:https?:\/\/|urlto:|[a-z][a-z0-9+.-]*:\/\/)/i, 'url'],
];

/** Characters that say what it is. */
const LOOKED_AT = 500;

/** What a code in a photo is, by its symbology (as zxing names it) and what it says. */
export function codeFacts(format: string, text: string): CodeFacts {
  const label = LINES.test(format) ? 'barcode' : 'qr';
  const start = text.trim().slice(0, LOOKED_AT);
  const content = contentOf(label, start);
  return { label, content, masked: content === 'url' ? mask('url', start) : '' };
}

function contentOf(label: CodeFacts['label'], text: string): CodeContent {
  if (/^\d{8,14}$/.test(text)) return 'product';
  const known = CONTENTS.find(([beginning]) => beginning.test(text))?.[1];
  if (known !== undefined) return known;
  return label === 'barcode' ? 'text' : (contactsIn(text)[0]?.kind ?? 'text');
}
