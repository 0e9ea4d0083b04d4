import { type CancellationContext, Server } from '@tus/server';
import { type ErrorCode, StorageError } from '#src/domain/errors.ts';
import { PROBLEM_TYPE } from '#src/domain/problem.ts';
import { problemOf } from '../problems.ts';

/** tus answers its own refusals in plain words: here they are problem documents like every other. */
export class ProblemServer extends Server {
  readonly #requestId: () => string;

  constructor(requestId: () => string, options: ConstructorParameters<typeof Server>[0]) {
    super(options);
    this.#requestId = requestId;
  }

  override async write(context: CancellationContext, headers: Headers, status: number, body = '') {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set('content-type', PROBLEM_TYPE);
    headers.set('cache-control', 'no-store');
    const problem = body.startsWith('{') ? body : problemText(status, body, this.#requestId());
    return super.write(context, headers, status, problem);
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'UPLOAD_EXPIRED',
  413: 'FILE_TOO_LARGE',
};

/** The status stays the one that the protocol prescribes. */
function problemText(status: number, words: string, requestId: string): string {
  const code = CODES[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_REQUEST');
  const detail = status >= 500 ? undefined : `The tus protocol: ${words.trim()}.`;
  return JSON.stringify({ ...problemOf(new StorageError(code, detail), requestId), status });
}
