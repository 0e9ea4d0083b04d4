import { Client, errors } from '@opensearch-project/opensearch';
import { StorageError } from '#src/domain/errors.ts';

/** A search is asked for by somebody who waits. Milliseconds. */
const SEARCH_MS = 3000;
/** A batch of documents, or an index that is made. Milliseconds. */
const WORK_MS = 30_000;

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Lines of a bulk request. */
  readonly lines?: readonly object[];
  readonly isQuick?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Requests {
  /**
   * Resolves to the body of the answer. Errors, classified once: NOT_FOUND for an index that is not there, CONFLICT for
   * one that is there already, SEARCH_UNAVAILABLE for whatever may pass, ABORTED, INTERNAL for a request that is refused.
   */
  readonly ask: (asked: Asked) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

export function createRequests(url: string): Requests {
  const client = new Client({ node: url, maxRetries: 1, compression: 'gzip' });
  return {
    async ask({ method, path, query = {}, body, lines, isQuick = false, signal }) {
      const request = client.transport.request(
        {
          method,
          path,
          querystring: query,
          ...(body !== undefined && { body }),
          ...(lines !== undefined && { bulkBody: [...lines] }),
        },
        { requestTimeout: isQuick ? SEARCH_MS : WORK_MS },
      );
      const abort = () => request.abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        const answer: unknown = (await request).body;
        return answer;
      } catch (error) {
        throw classified(error);
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    close: () => client.close(),
  };
}

function classified(error: unknown): StorageError {
  if (error instanceof errors.RequestAbortedError)
    return new StorageError('ABORTED', undefined, { cause: error });
  if (!(error instanceof errors.ResponseError))
    return new StorageError('SEARCH_UNAVAILABLE', undefined, {
      cause: error,
      details: { reason: reasonOf(error) },
    });
  const { statusCode, message } = error;
  const details = { status: statusCode, reason: message };
  if (statusCode === 404) return new StorageError('NOT_FOUND', 'There is no such search index.', { details });
  if (message.includes('resource_already_exists_exception'))
    return new StorageError('CONFLICT', 'There is such a search index already.', { details });
  if (statusCode === 400) return new StorageError('INTERNAL', undefined, { cause: error, details });
  return new StorageError('SEARCH_UNAVAILABLE', undefined, { cause: error, details });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
