import { ApiError } from '../api/api-error.ts';
import type { Photo } from '../api/schemas.ts';
import { RefusedHere } from './refused-here.ts';
import { type Reserved, type ResumeStore, resumeKey } from './resume-store.ts';

/** The bytes to send for a chosen file. */
export interface PreparedFile {
  readonly blob: Blob;
  readonly name: string;
  /** What the seller should know about it, or null. */
  readonly notice: string | null;
}

/** What the queue needs from outside; the real ones are put together in `create-queue.ts`. */
export interface UploadSteps {
  prepare(file: File): Promise<PreparedFile>;
  reserve(file: PreparedFile, signal: AbortSignal): Promise<Reserved>;
  /** Sends what is missing, from wherever it stopped. @throws ApiError; NOT_FOUND when the reservation is gone. */
  send(file: Blob, url: string, onProgress: (share: number) => void, signal: AbortSignal): Promise<void>;
  complete(id: string, signal: AbortSignal): Promise<Photo>;
  /** Resolves after so many seconds, or sooner when the connection is back. */
  pause(seconds: number, signal: AbortSignal): Promise<void>;
}

export type UploadPhase = 'queued' | 'preparing' | 'sending' | 'waiting' | 'sent' | 'refused';

/** One chosen file on its way. Replaced, never changed, so that views can compare by identity. */
export interface Upload {
  readonly key: string;
  readonly file: File;
  readonly phase: UploadPhase;
  /** 0 to 1, of the bytes. */
  readonly progress: number;
  /** The id of the photo it becomes; null before it is reserved. */
  readonly photoId: string | null;
  readonly notice: string | null;
  /** Why it waits or was refused. */
  readonly problem: { readonly code: string; readonly message: string | null } | null;
}

export interface QueueOptions {
  readonly parallel?: number;
  /** Default: remembered until the page is left. */
  readonly resume?: ResumeStore;
  /** Called with the service's first word on a photo whose bytes have arrived. */
  readonly onSent?: (upload: Upload, photo: Photo) => void;
}

/** Seconds between tries while the service is busy or the connection is gone; the last one repeats. */
const PAUSES = [1, 2, 4, 8, 15, 30];
/** With the pauses above: about ten minutes of trying before the seller is asked to. */
const MAX_TRIES = 25;

/**
 * Takes chosen files through prepare, reserve, send and complete, a few at a time, in the order they
 * were chosen. What may pass by itself (no connection, 429, 503) is waited for; anything else ends as
 * `refused`, with its code, and can be tried again.
 */
export class UploadQueue {
  readonly #steps: UploadSteps;
  readonly #options: QueueOptions;
  readonly #resume: ResumeStore;
  readonly #listeners = new Set<() => void>();
  readonly #running = new Map<string, AbortController>();
  #uploads: readonly Upload[] = [];
  #count = 0;
  /** Settles when the file before has its place: places are given in the order of choosing. */
  #turn: Promise<void> = Promise.resolve();

  constructor(steps: UploadSteps, options: QueueOptions = {}) {
    this.#steps = steps;
    this.#options = options;
    this.#resume = options.resume ?? new Map<string, Reserved>();
  }

  /** All uploads that are still of interest, in the order they were added. Stable between changes. */
  readonly snapshot = (): readonly Upload[] => this.#uploads;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A file that is on its way already is not added twice. */
  add(files: readonly File[]): void {
    const underWay = new Set(this.#uploads.filter(isUnderWay).map(({ file }) => resumeKey(file)));
    const fresh = files.filter((file) => !underWay.has(resumeKey(file)));
    const added = fresh.map((file): Upload => {
      this.#count += 1;
      const key = `upload-${this.#count}`;
      return { key, file, phase: 'queued', progress: 0, photoId: null, notice: null, problem: null };
    });
    this.#set([...this.#uploads, ...added]);
    this.#startNext();
  }

  /** Tries a refused file again, from where it stopped if the service still has the beginning. */
  retry(key: string): void {
    if (this.#running.has(key)) return;
    this.#change(key, { phase: 'queued', problem: null });
    this.#startNext();
  }

  /** Stops a file and forgets it. */
  remove(key: string): void {
    this.#running.get(key)?.abort();
    this.#set(this.#uploads.filter((upload) => upload.key !== key));
  }

  /** Stops everything. */
  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#set([]);
  }

  #startNext(): void {
    for (const upload of this.#uploads) {
      if (this.#running.size >= (this.#options.parallel ?? 3)) return;
      if (upload.phase === 'queued' && !this.#running.has(upload.key)) void this.#run(upload);
    }
  }

  async #run({ key, file }: Upload): Promise<void> {
    const controller = new AbortController();
    this.#running.set(key, controller);
    const before = this.#turn;
    const { promise, resolve: giveTurn } = Promise.withResolvers<void>();
    this.#turn = promise;
    try {
      this.#change(key, { phase: 'preparing' });
      const prepared = await this.#steps.prepare(file);
      this.#change(key, { notice: prepared.notice });
      await before;
      await this.#persist(key, prepared, controller.signal, giveTurn);
    } catch (error) {
      if (!controller.signal.aborted) this.#change(key, { phase: 'refused', problem: problemOf(error) });
    } finally {
      giveTurn();
      this.#running.delete(key);
      this.#startNext();
    }
  }

  /** Tries until it works, is refused for good, or is stopped. */
  async #persist(key: string, file: PreparedFile, signal: AbortSignal, giveTurn: () => void): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      signal.throwIfAborted();
      try {
        return await this.#deliver(key, file, signal, giveTurn);
      } catch (error) {
        const passes = error instanceof ApiError && error.retryable && tries + 1 < MAX_TRIES;
        if (signal.aborted || !passes) throw error;
        this.#change(key, { phase: 'waiting', problem: problemOf(error) });
        await this.#steps.pause(error.retryAfter ?? PAUSES[Math.min(tries, PAUSES.length - 1)] ?? 30, signal);
      }
    }
  }

  async #deliver(key: string, file: PreparedFile, signal: AbortSignal, giveTurn: () => void): Promise<void> {
    const resume = this.#resume;
    const upload = this.#uploads.find((each) => each.key === key);
    if (upload === undefined) return;
    const name = resumeKey(upload.file);
    const earlier = resume.get(name);
    const reserved = earlier ?? (await this.#steps.reserve(file, signal));
    resume.set(name, reserved);
    giveTurn();
    this.#change(key, { phase: 'sending', photoId: reserved.id, problem: null });
    try {
      await this.#steps.send(file.blob, reserved.url, (progress) => this.#change(key, { progress }), signal);
      const photo = await this.#steps.complete(reserved.id, signal);
      resume.delete(name);
      this.#change(key, { phase: 'sent', progress: 1, photoId: photo.id });
      this.#options.onSent?.({ ...upload, phase: 'sent', photoId: reserved.id }, photo);
    } catch (error) {
      if (isGone(error)) resume.delete(name);
      if (isGone(error) && earlier !== undefined) return this.#deliver(key, file, signal, giveTurn);
      if (!(error instanceof ApiError && error.retryable)) resume.delete(name);
      throw error;
    }
  }

  #change(key: string, change: Partial<Upload>): void {
    this.#set(this.#uploads.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)));
  }

  #set(uploads: readonly Upload[]): void {
    this.#uploads = uploads;
    for (const listener of this.#listeners) listener();
  }
}

function isUnderWay({ phase }: Upload): boolean {
  return phase !== 'sent' && phase !== 'refused';
}

/** The reservation an earlier visit left behind has expired, or its photo was deleted. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'NOT_FOUND' || error.status === 410);
}

function problemOf(error: unknown): { code: string; message: string | null } {
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  if (error instanceof RefusedHere) return { code: error.code, message: null };
  return { code: 'INTERNAL', message: null };
}
