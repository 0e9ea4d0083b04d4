import { ApiError, codeOf, readRetryAfter } from '../api/api-error.ts';
import { getSession } from '../api/session.ts';

/**
 * Sends a file to a tus resource that exists already, from wherever it stopped. One try: the queue
 * decides about others. The client library is loaded with the first upload.
 * @throws ApiError
 */
export async function sendByTus(
  file: Blob,
  url: string,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { Upload } = await import('tus-js-client');
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(new File([file], 'photo'), {
      uploadUrl: url,
      headers: { authorization: `Bearer ${getSession()?.token ?? ''}` },
      retryDelays: null,
      storeFingerprintForResuming: false,
      onProgress: (sent, total) => onProgress(total > 0 ? sent / total : 0),
      onSuccess: () => resolve(),
      onError: (error) => reject(toApiError(error)),
    });
    signal.addEventListener('abort', () => {
      void upload.abort();
      reject(signal.reason instanceof Error ? signal.reason : new Error('The upload was stopped.'));
    });
    upload.start();
  });
}

interface TusAnswer {
  getStatus(): number;
  getHeader(name: string): string | undefined;
  getBody(): string;
}

function toApiError(error: Error | { originalResponse: TusAnswer | null }): ApiError {
  const answer = 'originalResponse' in error ? error.originalResponse : null;
  const status = answer?.getStatus() ?? 0;
  if (answer === null || status === 0) return new ApiError('OFFLINE', 'The connection was lost.');
  const wait = readRetryAfter(answer.getHeader('retry-after') ?? null);
  // 409 says that the service has more or less than we think, 423 that the lost request still holds its lock: both pass.
  if (status === 409 || status === 423)
    return new ApiError('BUSY', 'The earlier part is still being stored.', status, wait);
  return new ApiError(
    codeOf(readCode(answer.getBody()), status),
    'The service did not take the file.',
    status,
    wait,
  );
}

function readCode(body: string): string | undefined {
  return /"code"\s*:\s*"([A-Z_]+)"/.exec(body)?.[1];
}
