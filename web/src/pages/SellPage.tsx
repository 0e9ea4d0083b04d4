import './sell.css';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconPhotoPlus, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { asApiError } from '../api/api-error.ts';
import { createItem, listItems } from '../api/endpoints.ts';
import type { Session } from '../api/session.ts';
import { queryClient } from '../app/query-client.ts';
import { useTitle } from '../app/use-title.ts';
import { Dialog } from '../components/Dialog.tsx';
import { ListingCard } from '../components/ListingCard.tsx';
import { ShowMore } from '../components/ShowMore.tsx';
import { EmptyState, ErrorNotice } from '../components/Notices.tsx';
import { CardsSkeleton } from '../components/Skeletons.tsx';
import { CATEGORIES } from '../components/words.ts';
import { adviceFor } from '../upload/advice.ts';

const NONE = '';

/** A seller's own listings, and the way to a new one. */
export default function SellPage({ session }: { session: Session }) {
  useTitle('My listings');
  const [isCreating, setCreating] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ['items', 'of', session.userId],
    queryFn: ({ pageParam, signal }) =>
      listItems({ sellerId: session.userId, ...(pageParam === NONE ? {} : { after: pageParam }) }, signal),
    initialPageParam: NONE,
    getNextPageParam: (last) => last.next,
  });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setCreating(true)}>
      New listing
    </Button>
  );
  return (
    <>
      <div className="page-head">
        <h1>My listings</h1>
        {items.length > 0 && create}
      </div>
      {query.isPending && <CardsSkeleton count={4} />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <EmptyState
          icon={<IconPhotoPlus size={34} stroke={1.4} aria-hidden />}
          title="What would you like to sell?"
          action={create}
        >
          Give it a name, add a few photos from different sides, and it is ready for people around you.
        </EmptyState>
      )}
      <ul className="cards" aria-label="My listings">
        {items.map((item, index) => (
          <li key={item.id}>
            <ListingCard item={item} href={`/sell/${item.id}`} own eager={index < 4} />
          </li>
        ))}
      </ul>
      <ShowMore query={query} />
      {isCreating && <CreateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const [title, setTitle] = useState('');
  const [category, setCategory] = useState('');
  const create = useMutation({
    mutationFn: () => createItem({ title: title.trim(), ...(category === '' ? {} : { category }) }),
    onSuccess: async (item) => {
      await queryClient.invalidateQueries({ queryKey: ['items'] });
      onClose();
      navigate(`/sell/${item.id}`);
    },
  });
  return (
    <Dialog label="New listing" onClose={onClose}>
      <form
        className="dialog__body"
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim() !== '') create.mutate();
        }}
      >
        <h2>New listing</h2>
        <TextInput
          label="What is it?"
          placeholder="Oak chair, barely used"
          size="md"
          maxLength={120}
          required
          autoFocus
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          error={create.isError ? adviceFor(asApiError(create.error).code).what : undefined}
        />
        <NativeSelect
          label="Category"
          size="md"
          value={category}
          onChange={(event) => setCategory(event.currentTarget.value)}
          data={[{ value: '', label: 'Choose later' }, ...CATEGORIES]}
        />
        <div className="row row--end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create and add photos
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
