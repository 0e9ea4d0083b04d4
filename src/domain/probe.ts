/**
 * `gone`: every path answered so. `superseded`: the photo is public again. `served` and `unanswered`: given up, with an
 * error in the log.
 */
export type ProbeState = 'waiting' | 'gone' | 'superseded' | 'served' | 'unanswered';

/** What the CDN answered for one withdrawn path. */
export interface ProbeAnswer {
  readonly path: string;
  /** Null when there was no answer at all. */
  readonly status: number | null;
  /** X-Cache and X-Amz-Cf-Pop, where the CDN sends them: which cache said so. */
  readonly cache: string | null;
  readonly pop: string | null;
  readonly at: string;
}

/** What shows that an object is no longer there for the public (promise 11 of the design). */
const GONE: readonly (number | null)[] = [403, 404, 410];

export function isGone({ status }: Pick<ProbeAnswer, 'status'>): boolean {
  return GONE.includes(status);
}
