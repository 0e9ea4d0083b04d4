import { ERROR_CODES, type ErrorCode } from './errors.ts';

/** RFC 9457, with our code. */
export interface Problem {
  /** A name, not an address: `urn:localex:problem:not-found`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Names the request, as its `X-Request-Id` and the log do. */
  readonly instance: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The problem document of a code; `detail` is written for people and names no internals. */
export function problemDocument(problem: {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
}): Problem {
  const { code, status, detail, requestId } = problem;
  return {
    type: `urn:localex:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: ERROR_CODES[code].title,
    status,
    code,
    detail,
    instance: `urn:request:${requestId}`,
  };
}
