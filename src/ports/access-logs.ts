import type { AnsweredRequest } from '../domain/usage.ts';

/** A file of the CDN's access log. It is written once. */
export interface AccessLogFile {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
  /** When it was delivered, which can be a day after the requests that it tells of. */
  readonly deliveredAt: Date;
}

/** A line of it. */
export interface LoggedRequest extends AnsweredRequest {
  /** Path below the CDN's address, decoded: a public key, `.auto` or an alias. */
  readonly path: string;
}

export interface AccessLogReading {
  readonly lines: number;
  /** Why the rest of the file, or some lines of it, could not be read; null when all could. */
  readonly damage: string | null;
}

/** Where the CDN delivers what it wrote down of its requests. */
export interface AccessLogs {
  /** Files that tell of the days from `from` to `to`. Errors: STORAGE_UNAVAILABLE, FORBIDDEN. */
  list(from: Date, to: Date, signal?: AbortSignal): AsyncIterable<AccessLogFile>;
  /**
   * Tells of each request in a file, in its order; bytes that are no log, or end in the middle, are damage and no error.
   * Errors: STORAGE_UNAVAILABLE, NOT_FOUND, FORBIDDEN; VERSION_CONFLICT when it is another file by now.
   */
  read(
    file: AccessLogFile,
    take: (request: LoggedRequest) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<AccessLogReading>;
  close(): Promise<void>;
}
