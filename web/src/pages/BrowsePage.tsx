import { Button } from '@mantine/core';
import { IconBasket } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { listItems } from '../api/endpoints.ts';
import { useTitle } from '../app/use-title.ts';
import { ListingCard } from '../components/ListingCard.tsx';
import { SearchBox } from '../components/SearchBox.tsx';
import { ShowMore } from '../components/ShowMore.tsx';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { CardsSkeleton } from '../components/Skeletons.tsx';

const NONE = '';

/** What everybody sees first: the newest listings. */
export function BrowsePage() {
  useTitle('Browse');
  const query = useInfiniteQuery({
    queryKey: ['items', 'all'],
    queryFn: ({ pageParam, signal }) => listItems(pageParam === NONE ? {} : { after: pageParam }, signal),
    initialPageParam: NONE,
    getNextPageParam: (last) => last.next,
  });
  const items = query.data?.pages.flatMap((page) => page.items).filter((item) => item.photoCount > 0) ?? [];
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Near you</h1>
          <p className="soft">New things from people around the corner.</p>
        </div>
        <SearchBox />
      </div>
      {query.isPending && <CardsSkeleton />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <EmptyState
          icon={<IconBasket size={34} stroke={1.4} aria-hidden />}
          title="Nothing here yet"
          action={
            <Button component={Link} href="/sell">
              Sell something
            </Button>
          }
        >
          Listings appear here as soon as they have a photo.
        </EmptyState>
      )}
      <ul className="cards" aria-label="Listings">
        {items.map((item, index) => (
          <li key={item.id}>
            <ListingCard item={item} href={`/listings/${item.id}`} eager={index < 4} />
          </li>
        ))}
      </ul>
      <ShowMore query={query} />
    </>
  );
}
