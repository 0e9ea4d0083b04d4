import type { Addresses, Config } from '../config/index.ts';
import { destroyDocumentKey, loadDocumentKey, saveDocumentKey } from '../db/document-keys.ts';
import { createFileEvents } from '../db/file-events.ts';
import type { Database } from '../db/schema.ts';
import { createUploadLocks } from '../db/upload-locks.ts';
import type { ImageHeader } from '../ports/image-engine.ts';
import type { DocumentKeyStore } from '../services/storage-security.service.ts';
import { standingOf } from '../db/objects.ts';
import { createListener } from '../db/listener.ts';
import type { Log } from '../ports/log.ts';
import { systemClock } from '../ports/clock.ts';
import { createCopiesService } from '../services/copies.service.ts';
import { createCdnService } from '../services/cdn.service.ts';
import { createAuditService } from '../services/audit.service.ts';
import { createFileManagementService } from '../services/file-management.service.ts';
import { createImageProcessingService } from '../services/image-processing.service.ts';
import { createItemsService } from '../services/items.service.ts';
import { createLifecycleService } from '../services/lifecycle.service.ts';
import { profileThumbnailKey } from '../services/photos/profile-photos.ts';
import { createKeysService } from '../services/keys.service.ts';
import { createModerationService } from '../services/moderation.service.ts';
import { createReviewService } from '../services/review.service.ts';
import { createRunsService } from '../services/runs.service.ts';
import { createUsageService } from '../services/usage.service.ts';
import { createSearchService } from '../services/search.service.ts';
import { createScannersService } from '../services/scanners.service.ts';
import { createStorageSecurityService } from '../services/storage-security.service.ts';
import { createStorageService } from '../services/storage.service.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { colorsOfPlaceholder } from '../images/colors.ts';
import { createTextReader } from '../images/text-reader.ts';
import { LEFT_TO_WORKERS } from '../jobs/deliver-outbox.ts';
import { type OutboxDispatcher, startOutboxDispatcher } from '../jobs/outbox-dispatcher.ts';
import { createCdn } from './cdn.ts';
import { prepareDataDir } from './data-dir.ts';
import { openDatabase } from './database.ts';
import {
  createAccessLogs,
  createArrivals,
  createCache,
  createImages,
  createKeyVault,
  createQueue,
  createRateLimiters,
  createScanner,
} from './adapters.ts';
import { createModeration } from './moderation.ts';
import { backupsOf, createObjectStores, readingThrough } from './object-stores.ts';
import { createPhotoIndex } from './search.ts';
import { loadSecrets } from './secrets.ts';
import type { ShutdownPhase } from './shutdown.ts';

/** From the last byte of a request to the note that it is here. */
const RECEIVE_GRACE_SECONDS = 60;

/** Everything that is built, and how it is closed, in the order in which it is closed. */
export type Composition = Awaited<ReturnType<typeof compose>>;

/**
 * The one composition root: makes each adapter that the configuration names, and the services over them. Nothing
 * listens and no job is taken yet: `main.ts` starts what the roles say. When a part cannot be made, those made before
 * are closed again.
 */
export async function compose(config: Config, addresses: Addresses, log: Log) {
  const phases: ShutdownPhase[] = [];
  const closing = (name: string, run: () => Promise<void>, limitMs = 5000) => {
    phases.unshift({ name, limitMs, run });
  };
  try {
    await prepareDataDir(config.server.dataDir);
    const secrets = await loadSecrets(config.server.dataDir);
    const database = await openDatabase(config, log);
    closing('database', () => database.close(), 20_000);
    const { db, connection } = database;

    const listener = createListener({ connection, log });
    closing('listener', () => listener.close());
    const events = await createFileEvents(listener);
    const uploadLocks = await createUploadLocks({ connection, listener, log });
    closing('upload locks', () => uploadLocks.close());

    const cache = await createCache(config, secrets, log);
    closing('cache', () => cache.close());

    const { store, replica } = await createObjectStores(config, addresses.publicUrl, secrets('store-urls'));
    closing('object store', () => store.close());
    if (replica !== null) closing('replica', () => replica.close());
    const storage = createStorageService({
      store,
      ...(replica !== null && { replica: { store: replica, standingOf: (key) => standingOf(db, key) } }),
    });

    /** Where lost bytes are looked for. */
    const backups = backupsOf(store, replica);

    const { cdn, edge, cloudfront } = await createCdn({
      config,
      addresses,
      store: readingThrough(storage, store),
      listener,
      db,
      profileThumbnailKey: (userId, format) => profileThumbnailKey(db, userId, format),
      log,
    });
    closing('cdn', () => cdn.close());

    const keys = await createKeyVault(config);
    const security = createStorageSecurityService({
      db,
      storage,
      vault: keys,
      documentKeys: documentKeysOf(db),
      signedUrlMaxSeconds: config.cdn.signedUrlMaxSeconds,
    });
    closing('keys', () => keys.close());
    const images = createImages(config, log);
    closing('image processes', () => images.close());
    const moderation = await createModeration(config, db, log);
    const { text } = config.safety;
    const textReader = text.isOn ? createTextReader({ ...text, log }) : null;
    closing('text process', async () => textReader?.close());
    closing('moderators', () => moderation.moderator.close());
    // Closed before what jobs work with.
    const queue = await createQueue(config, connection, log);
    closing('queue', () => queue.close(config.server.shutdownMs), config.server.shutdownMs + 3000);

    const rateLimiters = await createRateLimiters(config, connection, log);
    closing('rate limits', () => rateLimiters.uploads.close());

    const dispatcher: { current: OutboxDispatcher | null } = { current: null };
    const viewsComeFrom = config.cdn.driver === 'cloudfront' ? 'logs' : 'edge';
    const deps: ServiceDeps = {
      db,
      storage,
      cdn,
      cache,
      events,
      security,
      clock: systemClock,
      limits: fileLimits(config),
      log,
      deliverNow: async (fileId) => dispatcher.current?.deliverNow(fileId),
    };
    const leaves = config.server.roles.includes('worker') ? [] : LEFT_TO_WORKERS;
    dispatcher.current = await startOutboxDispatcher(
      { ...deps, policy: moderation.policy, queue, backups, leaves },
      listener,
    );
    closing('outbox', async () => dispatcher.current?.close());

    const scanner = await createScanner(config);
    closing('scanner', () => scanner.close());

    const photoIndex = await createPhotoIndex(config, db, log);
    closing('search', () => photoIndex.close());
    const searching = { index: photoIndex, readColors: colorsOfPlaceholder };

    const runs = createRunsService(deps);
    const review = createReviewService({ ...deps, policy: moderation.policy });
    return {
      db,
      store,
      cdn,
      edge,
      cloudfront,
      cdnService: createCdnService({ cdn, home: config.cdn.edgeLocation }),
      queue,
      rateLimiters,
      events,
      listener,
      secrets,
      keys,
      security,
      jobs: {
        ...deps,
        images,
        scanner,
        moderator: moderation.moderator,
        policy: moderation.policy,
        textReader,
        encoder: config.images.encoder,
        acceptedFormats: acceptedFormats(config),
        checkTimeoutMs: config.safety.checkTimeoutMs,
        findCopies: config.safety.findCopies,
      },
      files: createFileManagementService(deps),
      items: createItemsService(deps),
      review,
      copies: createCopiesService(deps),
      moderation: createModerationService({ ...deps, ...moderation, runs }),
      /** Who looks at photos, to judge past ones again. */
      judging: { detectors: moderation.detectors, onCharge: moderation.onCharge },
      audit: createAuditService({ db, storage, log }),
      runs,
      search: createSearchService({ ...deps, ...searching, runs }),
      /** What the index of the search is made from. */
      searching,
      scanners: createScannersService(deps),
      keysService: createKeysService({ vault: keys, runs }),
      usage: createUsageService({ ...deps, viewsComeFrom }),
      lifecycle: createLifecycleService({
        ...deps,
        viewsComeFrom,
        capabilities: store.capabilities,
        ...(replica !== null && { replica: createStorageService({ store: replica }) }),
        sweepIncomplete: (olderThanMs, options) => store.sweepIncomplete(olderThanMs, options),
      }),
      imageProcessing: createImageProcessingService({ images, storage, encoder: config.images.encoder }),
      storage,
      backups,
      uploadLocks,
      arrivals: await createArrivals(config, log),
      accessLogs: await createAccessLogs(config),
      phases,
    };
  } catch (error) {
    for (const phase of phases) await phase.run().catch(() => undefined);
    throw error;
  }
}

/** Formats that the configuration lets in; their bytes decide which one a file has. */
function acceptedFormats(config: Config): ReadonlySet<ImageHeader['format']> {
  const named = (['jpeg', 'png', 'webp'] as const).filter((format) =>
    config.s3.allowedTypes.includes(`image/${format}`),
  );
  return new Set<ImageHeader['format']>([
    ...named,
    ...(config.images.heic ? (['heic'] as const) : []),
    ...(config.images.avif ? (['avif'] as const) : []),
  ]);
}

function documentKeysOf(db: Database): DocumentKeyStore {
  return {
    save: (fileId, key, trx) => saveDocumentKey(trx ?? db, fileId, key),
    load: (fileId) => loadDocumentKey(db, fileId),
    destroy: (fileId, trx) => destroyDocumentKey(trx ?? db, fileId),
  };
}

function fileLimits(config: Config): ServiceDeps['limits'] {
  return {
    maxFileSize: config.s3.maxFileSize,
    photosPerItem: config.limits.photosPerItem,
    unfinishedPerOwner: config.limits.unfinishedPerOwner,
    bytesPerOwner: config.limits.bytesPerOwner,
    pendingSeconds: config.lifecycle.pendingSeconds,
    receiveSeconds: Math.ceil(config.limits.bodyTimeoutMs / 1000) + RECEIVE_GRACE_SECONDS,
    workSeconds: config.lifecycle.workSeconds,
    quarantineAfterSeconds: config.lifecycle.quarantineAfterSeconds,
    idempotencySeconds: config.lifecycle.idempotencySeconds,
    maxFilenameLength: config.limits.maxFilenameLength,
    signedUrlMaxSeconds: config.cdn.signedUrlMaxSeconds,
    reviewAlarmSeconds: config.safety.review.alarmSeconds,
    secondLookSeconds: config.safety.review.secondLookSeconds,
  };
}
