import { mask } from './contact-mask.ts';
import type { Region } from './finding.ts';
import { rowsOf } from './text-rows.ts';

export type ContactKind = 'phone' | 'email' | 'url';

/** A way to reach somebody, seen in a photo. It is kept masked: the photo shows the rest to whoever may see it. */
export interface Contact {
  readonly kind: ContactKind;
  /** 0–1: how sure the text was read, less for what may be something else. */
  readonly confidence: number;
  readonly region: Region;
  readonly masked: string;
}

export interface SeenText {
  readonly text: string;
  /** 0–1 */
  readonly confidence: number;
  readonly region: Region;
}

/** What may be something else (a serial number, the name of a brand) counts for less. */
const UNSURE = 0.65;

/** Ways to reach somebody in the text of a photo, as it was read: letters for digits, spaces missing, numbers in pieces. */
export function findContacts(lines: readonly SeenText[]): readonly Contact[] {
  const found = rowsOf(lines).flatMap((row) => contactsIn(row.text).map((contact) => ({ ...contact, row })));
  return found.map(({ kind, value, isSure, row }) => ({
    kind,
    confidence: row.confidence * (isSure ? 1 : UNSURE),
    region: row.region,
    masked: mask(kind, value),
  }));
}

interface Found {
  readonly kind: ContactKind;
  readonly value: string;
  readonly isSure: boolean;
}

/** In one row of text. What is part of an address is no phone number. */
export function contactsIn(text: string): readonly Found[] {
  const plain = text.normalize('NFKC');
  const emails = emailsIn(plain);
  const withoutEmails = emails.reduce((rest, { value }) => rest.replace(value, ' '), plain);
  const urls = urlsIn(withoutEmails);
  const rest = urls.reduce((left, { value }) => left.replace(value, ' '), withoutEmails);
  return [...emails, ...urls, ...phonesIn(rest)];
}

/** The sign is read as © or ®, too; "(at)" and "(dot)" are meant to be found by people only. */
const EMAIL =
  /[a-z0-9][a-z0-9._%+-]*\s?(?:[@©®]|[([]\s?at\s?[)\]])\s?[a-z0-9-]+(?:\s?(?:[.,]|[([]\s?dot\s?[)\]])\s?[a-z]{2,})+/gi;

function emailsIn(text: string): Found[] {
  return [...text.matchAll(EMAIL)].map(([value]) => ({ kind: 'email', value, isSure: true }));
}

const ADDRESS = /(?:https?\s?[:;.]?\s?\/\/|w{2,4}\s?[.,]\s?)[a-z0-9-]+(?:\s?[.,]\s?[a-z0-9-]+)*(?:\/\S*)?/gi;
/** Endings of names that shops and people use, and of messengers. Without "www" it may be the name of a brand. */
const BARE =
  /(?<![a-z0-9@.-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|net|org|info|biz|shop|store|online|site|app|io|me|co\.uk|uk|de|at|ch|fr|es|it|nl|be|pl|se|dk|no|fi|ie|eu|us|ca|au)(?![a-z0-9])(?:\/\S*)?/gi;
const MESSENGER = /^(?:wa|t|m)\.me\//i;

function urlsIn(text: string): Found[] {
  const full = [...text.matchAll(ADDRESS)].map(([value]): Found => ({ kind: 'url', value, isSure: true }));
  const rest = full.reduce((left, { value }) => left.replace(value, ' '), text);
  const bare = [...rest.matchAll(BARE)].map(
    ([value]): Found => ({ kind: 'url', value, isSure: MESSENGER.test(value) }),
  );
  return [...full, ...bare];
}

/** A run of digits with what stands between them, letters that look like digits among them. */
const NUMBER = /(?:\+|\(\+?)?(?:[oO](?=\s?\d))?\d(?:[\doOlI|]|[\s.\-/()–]{1,3}(?=[\doOlI|(]))+\d/g;
const ANNOUNCED =
  /(?:tel|phone|call|ring|text|mob|cell|whats\s?app|wa|sms|viber|signal|telegram|fon)[a-z]*[\s.:()–-]*$/i;
const PRICE_OR_DATE =
  /^(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,3}(?:[.,]\d{3})+|(?:19|20)\d{2}\s?[-–/]\s?(?:19|20)?\d{2})$/;

/** The end of a word that was read as a digit of the number behind it: "Cal107700 900123". */
const LETTER_READ_AS_ONE = /(?<=[a-z])1(?=\s?0\d)/gi;

function phonesIn(read: string): Found[] {
  const text = read.replaceAll(LETTER_READ_AS_ONE, 'l ');
  return [...text.matchAll(NUMBER)].flatMap((match): Found[] => {
    const [value] = match;
    const digits = value.replaceAll(/[oO]/g, '0').replaceAll(/[lI|]/g, '1').replaceAll(/\D/g, '');
    const isAnnounced = ANNOUNCED.test(text.slice(0, match.index));
    if (digits.length < (isAnnounced ? 6 : 9) || digits.length > 15) return [];
    if (!isAnnounced && (PRICE_OR_DATE.test(value) || isArticleNumber(value, digits))) return [];
    const isSure =
      isAnnounced || /^(?:\(?\+|0[1-9]|00[1-9])/.test(value.replaceAll(/[oO]/g, '0')) || isAmerican(value);
    return [{ kind: 'phone', value: digits, isSure }];
  });
}

function isAmerican(value: string): boolean {
  return /^\(?[2-9]\d{2}\)?[\s.-]\s?[2-9]\d{2}[\s.-]\d{4}$/.test(value);
}

/** EAN-13, UPC-A and ISBN under a barcode or on a cover: digits whose last one checks the others (GS1 General Specifications). */
function isArticleNumber(value: string, digits: string): boolean {
  if (value.startsWith('+') || (digits.length !== 12 && digits.length !== 13)) return false;
  const sum = [...digits.padStart(13, '0')].reduce(
    (total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}
