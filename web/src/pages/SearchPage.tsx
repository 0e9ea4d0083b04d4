import '../components/listing-card.css';
import { IconPhotoSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'wouter';
import { COLORS } from '../../../src/domain/colors.ts';
import { ORIENTATIONS } from '../../../src/domain/photo-document.ts';
import { type PhotoSearch, searchPhotos } from '../api/endpoints.ts';
import type { Photo } from '../api/schemas.ts';
import { useTitle } from '../app/use-title.ts';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { PhotoImage } from '../components/PhotoImage.tsx';
import { SearchBox } from '../components/SearchBox.tsx';
import { SearchFilters } from '../components/SearchFilters.tsx';
import { ShowMore } from '../components/ShowMore.tsx';
import { CardsSkeleton } from '../components/Skeletons.tsx';

const NONE = '';

/** Photos that buyers look for; what is asked stands in the address, to be sent to somebody or gone back to. */
export default function SearchPage() {
  const [asked, setAsked] = useSearchParams();
  const search = searchOf(asked);
  useTitle(search.q === undefined ? 'Search' : `“${search.q}”`);
  const query = useInfiniteQuery({
    queryKey: ['search', search],
    queryFn: ({ pageParam, signal }) =>
      searchPhotos(pageParam === NONE ? search : { ...search, after: pageParam }, signal),
    initialPageParam: NONE,
    getNextPageParam: (last) => last.next,
  });
  const pages = query.data?.pages ?? [];
  const photos = pages.flatMap((page) => page.photos);
  const titles = new Map(pages.flatMap((page) => page.items.map((item) => [item.id, item.title] as const)));
  const change = (name: string, value: string | null) =>
    setAsked((before) => {
      const next = new URLSearchParams(before);
      if (value === null) next.delete(name);
      else next.set(name, value);
      return next;
    });
  return (
    <>
      <div className="page-head">
        <div>
          <h1>{search.q === undefined ? 'Search photos' : `“${search.q}”`}</h1>
          <p className="soft" role="status">
            {query.isSuccess && resultWords(photos.length, query.hasNextPage, pages[0]?.match === 'similar')}
          </p>
        </div>
        <SearchBox />
      </div>
      <SearchFilters search={search} onChange={change} />
      {query.isPending && <CardsSkeleton />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && photos.length === 0 && (
        <EmptyState icon={<IconPhotoSearch size={34} stroke={1.4} aria-hidden />} title="Nothing found">
          Try other words, or fewer of them, or another color.
        </EmptyState>
      )}
      <ul className="cards" aria-label="Photos">
        {photos.map((photo, index) => (
          <li key={photo.id}>
            <FoundPhoto photo={photo} title={titles.get(photo.itemId ?? '') ?? ''} eager={index < 8} />
          </li>
        ))}
      </ul>
      <ShowMore query={query} />
    </>
  );
}

function FoundPhoto({ photo, title, eager }: { photo: Photo; title: string; eager: boolean }) {
  return (
    <Link href={`/listings/${encodeURIComponent(photo.itemId ?? '')}`} className="card">
      <span className="card__frame">
        <PhotoImage
          photo={photo}
          alt=""
          sizes="(min-width: 1200px) 290px, (min-width: 700px) 30vw, 46vw"
          eager={eager}
        />
      </span>
      <span className="card__title">{title}</span>
      {photo.alt !== null && <span className="card__facts">{photo.alt}</span>}
    </Link>
  );
}

/** What an address asks for; a color that nobody knows is passed over. */
function searchOf(asked: URLSearchParams): PhotoSearch {
  const q = asked.get('q')?.trim();
  const color = COLORS.find((known) => known === asked.get('color'));
  const orientation = ORIENTATIONS.find((known) => known === asked.get('orientation'));
  return {
    ...(q !== undefined && q !== '' && { q }),
    ...(color !== undefined && { color }),
    ...(orientation !== undefined && { orientation }),
  };
}

function resultWords(count: number, isMore: boolean, isSimilar: boolean): string {
  if (count === 0) return '';
  const photos = `${count}${isMore ? '+' : ''} photo${count === 1 && !isMore ? '' : 's'}`;
  return isSimilar ? `Nothing has just these words. ${photos} with words like them.` : photos;
}
