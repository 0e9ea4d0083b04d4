import type { PresignedPost } from '#src/ports/object-store.ts';

/** What the store said to a form: the status, and the code of its XML. */
export interface FormAnswer {
  readonly status: number;
  readonly code: string | null;
}

/**
 * Posts the form of a reservation as a browser would: its fields, then the file. `change` replaces fields; null leaves one
 * out.
 */
export async function postForm(
  form: PresignedPost | null,
  bytes: Uint8Array,
  change: Readonly<Record<string, string | null>> = {},
): Promise<FormAnswer> {
  if (form === null) throw new Error('Expected a reservation with a form');
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...form.fields, ...change }))
    if (value !== null) body.append(name, value);
  body.append('file', new Blob([new Uint8Array(bytes)]), 'photo.jpg');
  const answer = await fetch(form.url, { method: 'POST', body });
  const text = await answer.text();
  return { status: answer.status, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? null };
}
