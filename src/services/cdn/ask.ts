/** What the CDN answered. */
export interface CdnAnswer {
  /** Null when there was no answer at all. */
  readonly status: number | null;
  /** X-Cache, such as `Hit from cloudfront`, where it is sent. */
  readonly cache: string | null;
  /** X-Amz-Cf-Pop: the edge location that answered, where it is sent. */
  readonly pop: string | null;
  readonly bytes: number;
}

const ANSWER_MS = 20_000;

/** Asks the CDN from outside, as a viewer does. Never throws: what keeps it from answering is an answer without a status. */
export async function askCdn(
  url: string,
  request: { readonly method: 'GET' | 'HEAD'; readonly accept?: string; readonly signal?: AbortSignal },
): Promise<CdnAnswer> {
  const { method, accept, signal } = request;
  const limit = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(accept !== undefined && { headers: { accept } }),
    });
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.length;
    const { headers, status } = response;
    return { status, cache: headers.get('x-cache'), pop: headers.get('x-amz-cf-pop'), bytes };
  } catch {
    return { status: null, cache: null, pop: null, bytes: 0 };
  }
}
