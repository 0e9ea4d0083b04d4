import type { ContactKind } from './contacts.ts';

/** Enough to see what it was, too little to use it. */
export function mask(kind: ContactKind, value: string): string {
  switch (kind) {
    case 'phone':
      return `${value.slice(0, 3)}…${value.slice(-2)}`;
    case 'email':
      return `${value.slice(0, 1)}…@…`;
    case 'url':
      return maskUrl(value);
  }
}

/** The host, whose name says what kind of place it is, without the page. Of messengers the page is a person. */
function maskUrl(value: string): string {
  const [host = '', ...path] = value.replace(/^https?\s?[:;.]?\s?\/\//i, '').split(/[/?#]/);
  return `${host.slice(0, 60)}${path.length > 0 ? '/…' : ''}`;
}
