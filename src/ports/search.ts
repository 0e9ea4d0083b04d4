import type { SearchScope } from '../domain/access.ts';
import type { Color } from '../domain/colors.ts';
import type { FileState } from '../domain/file-state.ts';
import type { Orientation, PhotoDocument } from '../domain/photo-document.ts';
import type { OutputFormat } from '../domain/renditions.ts';

/** All that are given must hold. */
export interface PhotoFilters {
  readonly format?: OutputFormat;
  /** One of its dominant colors. */
  readonly color?: Color;
  readonly orientation?: Orientation;
  readonly category?: string;
  readonly ownerId?: string;
  readonly itemId?: string;
  readonly state?: FileState;
  /** Pixels. */
  readonly minWidth?: number;
  readonly minHeight?: number;
  /** 0–100 */
  readonly minQuality?: number;
}

export interface PhotoQuery {
  readonly scope: SearchScope;
  /** As `searchWords` gives it; null lists all, newest first. All words must be there, the last one begun at least. */
  readonly words: string | null;
  /** Words that are a few letters off (`allowedEdits`) count, too. */
  readonly isLoose: boolean;
  readonly filters: PhotoFilters;
  /** The last hit of the page before. */
  readonly after: PhotoHit | null;
  readonly limit: number;
}

export interface PhotoHit {
  readonly id: string;
  /** How well it fits, to compare hits of one query; null where there were no words. */
  readonly score: number | null;
}

/** What is to stand in the index for a photo: a document, or a tombstone that keeps late documents out. */
export interface IndexEntry {
  readonly id: string;
  /** Rises with each write of the same photo: an entry with a lower one than what is there changes nothing. */
  readonly version: number;
  readonly document: PhotoDocument | null;
}

export interface Written {
  /** Entries that were not written because a newer one is there: a success. */
  readonly outdated: number;
  /** Entries that the engine will never take, with what it said. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** How an index stands when the service starts. */
export type Prepared = 'found' | 'made';

/**
 * Thin drivers: I/O only. Words are folded and pages bounded above them (`search.service.ts`). Every driver passes
 * `test/contracts/search.contract.ts`. Errors: SEARCH_UNAVAILABLE when it does not answer; NOT_FOUND for an index that is
 * not there (any more).
 *
 * One index is current, and `search` asks it. Others may be made beside it: they are written to by name until one of them
 * takes its place, at once and for everybody.
 */
export interface PhotoIndex {
  readonly name: string;
  /** Makes a first, empty index where there is none. INVALID_CONFIGURATION when what is there was not made by this service. */
  prepare(): Promise<Prepared>;
  /** Hits in order: the best first, of equals the newest. */
  search(query: PhotoQuery, signal?: AbortSignal): Promise<readonly PhotoHit[]>;
  /** All names, the current one first. */
  indexes(): Promise<readonly string[]>;
  /** Makes an empty index beside the current one and resolves to its name. `suffix`: letters and digits, new. */
  create(suffix: string): Promise<string>;
  /** Searches ask this index from now on. */
  makeCurrent(index: string): Promise<void>;
  /** One that is gone is a success. CONFLICT for the current one. */
  remove(index: string): Promise<void>;
  /** Writes up to 1,000 entries, each photo once. Durable when it resolves, found within a second or two. */
  write(index: string, entries: readonly IndexEntry[]): Promise<Written>;
  /** What was written can be found. */
  refresh(index: string): Promise<void>;
  /** Documents in the order of their ids, without tombstones. */
  list(
    index: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly PhotoDocument[]>;
  /** Those of these photos that have a document. */
  get(index: string, ids: readonly string[]): Promise<readonly PhotoDocument[]>;
  /** Documents, without tombstones. */
  count(index: string): Promise<number>;
  /** The greatest version in any index; 0 when all are empty. */
  highestVersion(): Promise<number>;
  /** Fails with SEARCH_UNAVAILABLE when it cannot be used. */
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
