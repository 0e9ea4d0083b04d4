import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { createFileEvents } from '../db/file-events.ts';
import { createListener } from '../db/listener.ts';
import type { Log } from '../ports/log.ts';
import { systemClock } from '../ports/clock.ts';
import { createFileManagementService } from '../services/file-management.service.ts';
import { createImageProcessingService } from '../services/image-processing.service.ts';
import { createItemsService } from '../services/items.service.ts';
import { profileThumbnailKey } from '../services/photos/profile-photos.ts';
import { createReviewService } from '../services/review.service.ts';
import { createStorageService } from '../services/storage.service.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { createImageEngine } from '../images/engine.ts';
import { type OutboxDispatcher, startOutboxDispatcher } from '../jobs/outbox-dispatcher.ts';
import { createCdn } from './cdn.ts';
import { openDatabase } from './database.ts';
import {
  createKeyVault,
  createModerator,
  createObjectStore,
  createQueue,
  createScanner,
} from './adapters.ts';
import { loadSecrets } from './secrets.ts';
import type { ShutdownPhase } from './shutdown.ts';

/** Everything that is built, and how it is closed, in the order in which it is closed. */
export type Composition = Awaited<ReturnType<typeof compose>>;

/**
 * The one composition root: makes each adapter that the configuration names, and the services over them. Nothing
 * listens and no job is taken yet: `main.ts` starts what the roles say. When a part cannot be made, those made before
 * are closed again.
 */
export async function compose(config: Config, publicUrl: string, log: Log) {
  const phases: ShutdownPhase[] = [];
  const closing = (name: string, run: () => Promise<void>, limitMs = 5000) => {
    phases.unshift({ name, limitMs, run });
  };
  try {
    const secrets = await loadSecrets(config.server.dataDir);
    const database = await openDatabase(config, log);
    closing('database', () => database.close(), 20_000);
    const { db, connection } = database;

    const listener = createListener({ connection, log });
    closing('listener', () => listener.close());
    const events = await createFileEvents(listener);

    const store = await createObjectStore(config, publicUrl, secrets('store-urls'));
    closing('object store', () => store.close());
    const storage = createStorageService({ store });

    const cdn = await createCdn({
      config,
      publicUrl,
      store,
      listener,
      db,
      signingKey: secrets('edge-urls'),
      profileThumbnailKey: (userId, format) => profileThumbnailKey(db, userId, format),
      log,
    });
    closing('cdn', () => cdn.close());

    const queue = await createQueue(config, connection, log);
    closing('queue', () => queue.close(config.server.shutdownMs), config.server.shutdownMs + 3000);
    const keys = await createKeyVault(config);
    closing('keys', () => keys.close());
    const images = createImageEngine({
      processes: config.images.processes,
      idleMs: config.images.idleMs,
      maxPixels: config.images.maxPixels,
      maxBytes: config.s3.maxFileSize,
      formats: { heic: config.images.heic, avif: config.images.avif },
      encoder: config.images.encoder,
      openTimeoutMs: config.images.stepTimeoutMs,
      memoryLimitMb: config.images.memoryLimitMb,
      log,
    });
    closing('image processes', () => images.close());

    const dispatcher: { current: OutboxDispatcher | null } = { current: null };
    const deps: ServiceDeps = {
      db,
      storage,
      cdn,
      events,
      keys,
      clock: systemClock,
      limits: fileLimits(config),
      log,
      deliverNow: async (fileId) => dispatcher.current?.deliverNow(fileId),
    };
    dispatcher.current = await startOutboxDispatcher({ db, storage, cdn, log, queue }, listener);
    closing('outbox', async () => dispatcher.current?.close());

    return {
      db,
      store,
      cdn,
      queue,
      events,
      instance: randomUUID(),
      secrets,
      jobs: {
        ...deps,
        images,
        scanner: createScanner(config),
        moderator: createModerator(config),
        encoder: config.images.encoder,
      },
      files: createFileManagementService(deps),
      items: createItemsService(deps),
      review: createReviewService(deps),
      imageProcessing: createImageProcessingService({ images, storage }),
      storage,
      tusDir: join(config.server.dataDir, 'tus'),
      phases,
    };
  } catch (error) {
    for (const phase of phases) await phase.run().catch(() => undefined);
    throw error;
  }
}

function fileLimits(config: Config): ServiceDeps['limits'] {
  return {
    maxFileSize: config.s3.maxFileSize,
    photosPerItem: config.limits.photosPerItem,
    unfinishedPerOwner: config.limits.unfinishedPerOwner,
    bytesPerOwner: config.limits.bytesPerOwner,
    pendingSeconds: config.lifecycle.pendingSeconds,
    workSeconds: config.lifecycle.workSeconds,
    idempotencySeconds: config.lifecycle.idempotencySeconds,
    signedUrlMaxSeconds: config.cdn.signedUrlMaxSeconds,
  };
}
