/** What clamd made of a stream. `limited`: it stopped at one of its own limits, and vouches for nothing. */
export type Answer =
  | { readonly kind: 'clean' }
  | { readonly kind: 'found'; readonly signature: string }
  | { readonly kind: 'too long' }
  | { readonly kind: 'limited'; readonly limit: string }
  | { readonly kind: 'unclear' };

/** With AlertExceedsMax clamd names so what it did not look at to the end. */
const LIMITS = 'Heuristics.Limits.Exceeded';

/** Reads the answer to INSTREAM (clamd(8)), without number and NUL. Only exactly what clamd writes is taken for a verdict. */
export function readAnswer(text: string): Answer {
  if (text === 'stream: OK') return { kind: 'clean' };
  if (text === 'INSTREAM size limit exceeded. ERROR') return { kind: 'too long' };
  const signature = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(text)?.[1];
  if (signature === undefined) return { kind: 'unclear' };
  return signature.startsWith(LIMITS) ? { kind: 'limited', limit: signature } : { kind: 'found', signature };
}
