export interface ClamdVersion {
  /** As clamd writes it. */
  readonly text: string;
  readonly engine: string;
  /** Number and date of the daily signatures; null when it has none of those, as with signatures of one's own only. */
  readonly signatures: { readonly number: number; readonly from: Date } | null;
}

const DAY_MS = 86_400_000;

/**
 * Reads the answer to VERSION: `ClamAV 1.4.6/27500/Mon Nov 23 09:30:12 2026`, or the first part alone. The date is the
 * local time of clamd's machine without its zone, so it may be off by less than a day. Null when it is anything else.
 */
export function readVersion(text: string): ClamdVersion | null {
  const match =
    /^ClamAV ([\w.+~-]{1,60})(?:\/(\d{1,9})\/([A-Za-z]{3} [A-Za-z]{3} [ \d]\d [\d:]{8} \d{4}))?$/.exec(text);
  const [, engine, number, date] = match ?? [];
  if (engine === undefined) return null;
  if (number === undefined || date === undefined) return { text, engine, signatures: null };
  const from = new Date(`${date} UTC`);
  return Number.isNaN(from.getTime()) ? null : { text, engine, signatures: { number: Number(number), from } };
}

/** What is wrong with the age of the signatures, in words for the log; null when nothing is. */
export function problemOfAge({ signatures }: ClamdVersion, maxAgeDays: number, now: Date): string | null {
  if (signatures === null) return 'it has no daily signatures, so that nobody knows how old they are';
  const days = Math.floor((now.getTime() - signatures.from.getTime()) / DAY_MS);
  return days <= maxAgeDays ? null : `its signatures (${signatures.number}) are ${days} days old`;
}
