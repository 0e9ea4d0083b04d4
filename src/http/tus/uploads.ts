import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { Lock, Locker } from '@tus/server';
import type { Principal } from '#src/domain/access.ts';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import { isFileId } from '#src/domain/ids.ts';
import type { FileManagementService } from '#src/services/contracts.ts';
import type { UploadLocks } from '../deps.ts';
import { logFailure, type ProblemLog, problemOf, publicError } from '../problems.ts';
import { ProblemServer } from './problem-server.ts';
import { Reservations } from './reservations.ts';

export const TUS_PATH = '/v1/uploads/tus';
/** How long a request that another one waits for may still store what it has received. */
const LOCK_DRAIN_MS = 300;

export interface TusUploads {
  /** Answers a request whose caller may use that upload. */
  handle(who: Principal, requestId: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** Who asks, and in which request: the library passes neither on to all that it calls. */
interface Caller {
  readonly who: Principal;
  readonly requestId: string;
}

/**
 * Resumable uploads by the tus protocol. Only reservations can be uploaded to: creation by POST is not routed. When the
 * last byte is here the upload is completed. One that is given up takes its reservation along.
 */
export function createTusUploads(options: {
  readonly files: FileManagementService;
  readonly locks: UploadLocks;
  readonly log: ProblemLog;
}): TusUploads {
  const { files, locks, log } = options;
  const callers = new AsyncLocalStorage<Caller>();
  const presentRequest = () => callers.getStore()?.requestId ?? randomUUID();
  const presentCaller = () => {
    const caller = callers.getStore();
    if (caller === undefined) throw new StorageError('NOT_FOUND');
    return caller.who;
  };

  const server = new ProblemServer(presentRequest, {
    path: TUS_PATH,
    datastore: new Reservations(files, (id) => files.deletePhoto(presentCaller(), id).catch(unlessGone)),
    locker: lockerOf(locks),
    relativeLocation: true,
    allowedOrigins: [],
    lockDrainTimeout: LOCK_DRAIN_MS,
    disableTerminationForFinishedUploads: true,
    /** Runs again when the client did not hear that it was done. */
    async onUploadFinish(_request, { id }) {
      if (!isFileId(id)) throw new StorageError('NOT_FOUND');
      await files.completeUpload(presentCaller(), id, { waitMs: 0 });
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
    async handle(who, requestId, req, res) {
      await callers.run({ who, requestId }, () => server.handle(req, res));
    },
  };
}

function unlessGone(error: unknown): void {
  if (!isStorageError(error, 'NOT_FOUND')) throw error;
}

/** One request at a time works on an upload, whichever process it came to. */
function lockerOf(locks: UploadLocks): Locker {
  return {
    newLock(id): Lock {
      let unlock = async (): Promise<void> => undefined;
      return {
        async lock(signal, requestRelease) {
          unlock = await locks.take(id, signal, () => void requestRelease());
        },
        unlock: () => unlock(),
      };
    },
  };
}
