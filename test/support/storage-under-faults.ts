import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import {
  createStorageService,
  type Measurement,
  type StorageService,
} from '#src/services/storage.service.ts';
import type { Replica } from '#src/services/storage/fail-over.ts';
import { type FaultyStore, faultyStore } from './faulty-store.ts';

export interface StorageUnderFaults {
  readonly service: StorageService;
  readonly store: FaultyStore;
  readonly replica: FaultyStore;
  /** What the rows say of a key; every key is live until a test says otherwise. */
  readonly rows: { standingOf: Replica['standingOf'] };
  readonly measurements: Measurement[];
  /** Milliseconds of every wait between attempts, none of which was really waited. */
  readonly waits: number[];
  /** Throws when a body was left open. */
  close(): Promise<void>;
}

/** The storage service over real file-system stores, a primary and a replica, each behind faults to plan. */
export async function storageUnderFaults(withReplica = true): Promise<StorageUnderFaults> {
  const folder = await mkdtemp(join(tmpdir(), 'storage-service-'));
  const open = async (name: string) =>
    faultyStore(
      await createFilesystemObjectStore({
        root: join(folder, name),
        publicUrl: 'http://store.test',
        signingKey: new Uint8Array(32).fill(7),
        fsync: false,
      }),
    );
  const [store, replica] = [await open('primary'), await open('replica')];
  const measurements: Measurement[] = [];
  const waits: number[] = [];
  const rows: StorageUnderFaults['rows'] = { standingOf: () => Promise.resolve('live') };
  const service = createStorageService({
    store,
    ...(withReplica && { replica: { store: replica, standingOf: (key) => rows.standingOf(key) } }),
    retry: { attempts: 3, baseMs: 100, capMs: 1_000 },
    random: () => 0.5,
    sleep: async (ms) => void waits.push(ms),
    onMeasure: (measurement) => measurements.push(measurement),
  });
  return {
    service,
    store,
    replica,
    rows,
    measurements,
    waits,
    async close() {
      const left = [...store.leftOpen(), ...replica.leftOpen()];
      await rm(folder, { recursive: true });
      if (left.length > 0) throw new Error(`Bodies were neither read nor dropped: ${left.join(', ')}`);
    },
  };
}
