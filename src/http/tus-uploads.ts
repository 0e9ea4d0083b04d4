import { AsyncLocalStorage } from 'node:async_hooks';
import { chmodSync, createReadStream, mkdirSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { FileConfigstore, FileStore } from '@tus/file-store';
import { type CancellationContext, Server, Upload } from '@tus/server';
import type { Principal } from '#src/domain/access.ts';
import { type ErrorCode, isStorageError, StorageError } from '#src/domain/errors.ts';
import { type FileId, isFileId } from '#src/domain/ids.ts';
import { PROBLEM_TYPE } from '#src/domain/problem.ts';
import type { FileManagementService } from '#src/services/contracts.ts';
import { logFailure, type ProblemLog, problemOf, publicError } from './problems.ts';

export const TUS_PATH = '/v1/uploads/tus';
/** As long as temporary uploads live (design §6). */
export const TUS_LIFETIME_MS = 24 * 3600 * 1000;
/** How long a request waits for the one before it to let go of the upload. */
const LOCK_DRAIN_MS = 300;
/** Uploaded bytes and the names of their files are for this user's processes only. */
const PRIVATE_FOLDER = 0o700;

export interface TusUploads {
  /** Opens the resumable upload of a reservation: its size is fixed here. */
  create(id: FileId, reservation: { bytes: number; filename: string; type: string }): Promise<void>;
  /** Answers a request whose caller may use that upload. */
  handle(who: Principal, requestId: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Whether bytes of it are known here. */
  has(id: FileId): Promise<boolean>;
  /** Removes uploads older than a day, finished or not. Resolves to how many. */
  sweep(now: Date): Promise<number>;
}

/** Who asks, and in which request: the library passes neither on to all that it calls. */
interface Caller {
  readonly who: Principal;
  readonly requestId: string;
}

/**
 * Resumable uploads by the tus protocol. Only reservations can be uploaded to: creation by POST is not routed.
 * When the last byte is here the file goes the way of every other: received, then completed. One that is given up
 * takes its reservation along.
 */
export function createTusUploads(options: {
  readonly directory: string;
  readonly files: FileManagementService;
  readonly log: ProblemLog;
}): TusUploads {
  const { directory, files, log } = options;
  makePrivate(directory);
  const callers = new AsyncLocalStorage<Caller>();
  const configstore = new FileConfigstore(directory);
  const folder = { directory, configstore, expirationPeriodInMilliseconds: TUS_LIFETIME_MS };
  const datastore = new UploadFolder(folder, async (id) => {
    const caller = callers.getStore();
    if (caller === undefined || !isFileId(id)) throw new StorageError('NOT_FOUND');
    await files.deletePhoto(caller.who, id).catch(unlessGone);
  });
  const presentRequest = () => callers.getStore()?.requestId ?? randomUUID();

  const server = new ProblemServer(presentRequest, {
    path: TUS_PATH,
    datastore,
    relativeLocation: true,
    allowedOrigins: [],
    lockDrainTimeout: LOCK_DRAIN_MS,
    disableTerminationForFinishedUploads: true,
    /** Runs again when the client did not hear that it was done. */
    async onUploadFinish(_request, { id }) {
      const caller = callers.getStore();
      if (caller === undefined || !isFileId(id)) throw new StorageError('NOT_FOUND');
      if (await datastore.isHandedOver(id)) return {};
      const body = createReadStream(join(directory, id));
      // Received before, and its reservation used up: completing it again tells how that went.
      await files.receiveUpload(id, body).catch(unlessGone);
      await files.completeUpload(caller.who, id, { waitMs: 0 });
      await datastore.handOver(id);
      return {};
    },
    onResponseError(_request, error) {
      if (!(error instanceof Error)) return undefined;
      const problem = problemOf(publicError(error), presentRequest());
      logFailure(log, error, { requestId: presentRequest() });
      return { status_code: problem.status, body: JSON.stringify(problem) };
    },
  });

  return {
    async create(id, { bytes, filename, type }) {
      await datastore.create(
        new Upload({ id, size: bytes, offset: 0, metadata: { filename, filetype: type } }),
      );
    },
    async handle(who, requestId, req, res) {
      await callers.run({ who, requestId }, () => server.handle(req, res));
    },
    async has(id) {
      return (await configstore.get(id)) !== undefined;
    },
    async sweep(now) {
      let removed = 0;
      for (const id of (await configstore.list?.()) ?? []) {
        const created = (await configstore.get(id))?.creation_date;
        if (created !== undefined && now.getTime() - Date.parse(created) < TUS_LIFETIME_MS) continue;
        await rm(join(directory, id), { force: true });
        await configstore.delete(id);
        removed += 1;
      }
      return removed;
    },
  };
}

function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: PRIVATE_FOLDER });
  // One that was there before may be open to others.
  chmodSync(directory, PRIVATE_FOLDER);
}

function unlessGone(error: unknown): void {
  if (!isStorageError(error, 'NOT_FOUND')) throw error;
}

/** A folder of uploads that can give up the bytes of a finished one and still say that it was finished. */
class UploadFolder extends FileStore {
  readonly #release: (id: string) => Promise<void>;

  constructor(options: ConstructorParameters<typeof FileStore>[0], release: (id: string) => Promise<void>) {
    super(options);
    this.#release = release;
  }

  /** Gives up an upload: its reservation first, so that nothing is left when the client is told so. */
  override async remove(id: string): Promise<void> {
    await this.#release(id);
    await super.remove(id);
  }

  override async getUpload(id: string): Promise<Upload> {
    const upload = await super.getUpload(id);
    if (upload.metadata?.['handedOver'] === undefined || upload.size === undefined) return upload;
    upload.offset = upload.size;
    return upload;
  }

  async isHandedOver(id: string): Promise<boolean> {
    return (await this.configstore.get(id))?.metadata?.['handedOver'] !== undefined;
  }

  /** The bytes are in the object store now: those here go. */
  async handOver(id: string): Promise<void> {
    const upload = await this.configstore.get(id);
    if (upload === undefined) return;
    upload.metadata = { ...upload.metadata, handedOver: '1' };
    await this.configstore.set(id, upload);
    await truncate(join(this.directory, id), 0);
  }
}

/** tus answers its own refusals in plain words: here they are problem documents like every other. */
class ProblemServer extends Server {
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
