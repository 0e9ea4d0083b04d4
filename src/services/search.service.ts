import { findFiles } from '../db/files.ts';
import { readPhotoFacts } from '../db/search-documents.ts';
import { has, mayAccessFile, type Principal, searchScope } from '../domain/access.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { mayFind } from '../domain/photo-document.ts';
import { searchWords } from '../domain/search-words.ts';
import type { PhotoFilters, PhotoHit, PhotoIndex, PhotoQuery } from '../ports/search.ts';
import type { ServiceDeps } from './deps.ts';
import type { Photo } from './photo.ts';
import { toPhotos } from './photos/photo-view.ts';
import type { Run, RunsService } from './runs.service.ts';
import { hitMarker, parseHitMarker } from './search/page.ts';
import { documentOf, type ReadColors } from './search/documents.ts';

export interface PhotoSearch extends PhotoFilters {
  /** In any words; blank lists all, newest first. */
  readonly text?: string;
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface FoundPhotos {
  /** The best first; of equals, and without a text, the newest. */
  readonly photos: readonly Photo[];
  /** Their listings. */
  readonly items: readonly { readonly id: string; readonly title: string }[];
  /** `similar`: nothing has these words, so that words a few letters off were looked for. */
  readonly match: 'exact' | 'similar';
  readonly next: string | null;
}

export interface SearchService {
  /**
   * Photos of listings. Everybody finds those that are public, their own in every state; moderators find all. A photo that
   * was published or withdrawn this moment may be found, or missed, for a second; none is shown that the caller may not see.
   * Errors: INVALID_REQUEST for a page marker that is not ours, SEARCH_UNAVAILABLE.
   */
  searchPhotos(who: Principal | null, search: PhotoSearch): Promise<FoundPhotos>;
  /** Makes the index anew from the rows, beside the present one, which answers until the new one is proved. FORBIDDEN. */
  rebuild(who: Principal, options: { readonly dryRun: boolean }): Promise<Run>;
}

export interface SearchServiceDeps extends Pick<ServiceDeps, 'db' | 'cdn'> {
  readonly index: PhotoIndex;
  readonly readColors: ReadColors;
  readonly runs: Pick<RunsService, 'start'>;
}

export function createSearchService(deps: SearchServiceDeps): SearchService {
  return {
    async searchPhotos(who, { text = '', after, limit, ...filters }) {
      const words = searchWords(text);
      const marker = after === undefined ? null : parseHitMarker(after);
      const query: PhotoQuery = {
        scope: searchScope(who),
        words: words === '' ? null : words,
        isLoose: marker?.isLoose ?? false,
        filters,
        after: marker?.hit ?? null,
        limit: limit + 1,
      };
      const exact = await ask(deps.index, query);
      const isNothing = exact.length === 0 && marker === null && query.words !== null;
      const isLoose = isNothing || query.isLoose;
      const hits = isNothing ? await ask(deps.index, { ...query, isLoose }) : exact;
      const shown = hits.slice(0, limit);
      const last = hits.length > limit ? shown.at(-1) : undefined;
      return {
        ...(await visiblePhotos(deps, who, shown)),
        match: isLoose ? 'similar' : 'exact',
        next: last === undefined ? null : hitMarker(last, isLoose),
      };
    },

    rebuild: (who, options) => deps.runs.start(who, 'search-rebuild', {}, options),
  };
}

/** An index that is not made yet, as it was not to be reached when the service started, will be. */
async function ask(index: PhotoIndex, query: PhotoQuery): Promise<readonly PhotoHit[]> {
  try {
    return await index.search(query);
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error;
    throw new StorageError('SEARCH_UNAVAILABLE', undefined, { cause: error });
  }
}

/** What the rows say now of what was found: the index may be a moment behind, and never shows what is not to be seen. */
async function visiblePhotos(
  deps: SearchServiceDeps,
  who: Principal | null,
  hits: readonly PhotoHit[],
): Promise<Pick<FoundPhotos, 'photos' | 'items'>> {
  const ids = hits.map(({ id }) => id);
  const scope = searchScope(who);
  const facts = (await readPhotoFacts(deps.db, ids)).filter((row) => {
    const document = documentOf({ ...row, placeholder: null }, deps.readColors);
    return document !== null && mayFind(scope, document);
  });
  const isFound = new Set(facts.map(({ id }) => id));
  const files = (await findFiles(deps.db, ids)).filter(
    (file) =>
      isFound.has(file.id) &&
      mayAccessFile(who, 'read', { kind: file.kind, ownerId: file.owner_id, state: file.state }),
  );
  const isInside = ({ owner_id: owner }: { owner_id: string }) =>
    owner === who?.userId || has(who, 'moderator') || has(who, 'admin');
  const photos = [
    ...(await toPhotos(deps, files.filter(isInside), true)),
    ...(await toPhotos(
      deps,
      files.filter((file) => !isInside(file)),
      false,
    )),
  ];
  const titles = new Map(facts.map(({ itemId, title }) => [itemId, title]));
  return {
    photos: photos.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id)),
    items: [...titles].map(([id, title]) => ({ id, title })),
  };
}
