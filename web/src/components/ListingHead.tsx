import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { asApiError } from '../api/api-error.ts';
import { deleteItem, updateItem } from '../api/endpoints.ts';
import type { Item, ItemStatus } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { Dialog } from './Dialog.tsx';
import { STATUS_WORDS } from './words.ts';

/** Title and state of a seller's listing, with the ways to put it online and to delete it. */
export function ListingHead({ item }: { item: Item }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (status: ItemStatus) => updateItem(item.id, { status }),
    onSuccess: (updated) => {
      client.setQueryData(['item', item.id], updated);
      showToast(updated.status === 'active' ? 'Your listing is online.' : 'Your listing is offline.');
      return client.invalidateQueries({ queryKey: ['items'] });
    },
    onError: (error) => showToast(adviceFor(asApiError(error).code).what, { tone: 'bad' }),
  });
  const [isDeleting, setDeleting] = useState(false);
  const isOnline = item.status === 'active';
  return (
    <div className="page-head page-head--edit">
      <div>
        <h1>{item.title}</h1>
        <p className="row">
          <span className={`chip ${isOnline ? 'chip--on' : ''}`}>{STATUS_WORDS[item.status]}</span>
          {item.category && <span className="soft small">{item.category}</span>}
        </p>
      </div>
      <div className="row">
        <Button component={Link} href={`/listings/${item.id}`} variant="default">
          See as a buyer
        </Button>
        <Button
          variant={isOnline ? 'default' : 'filled'}
          loading={change.isPending}
          onClick={() => change.mutate(isOnline ? 'withdrawn' : 'active')}
        >
          {isOnline ? 'Take offline' : 'Put online'}
        </Button>
        <Button variant="light" color="red" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      </div>
      {isDeleting && <DeleteDialog item={item} onClose={() => setDeleting(false)} />}
    </div>
  );
}

/** Asks first: unlike a photo, a deleted listing does not come back. */
function DeleteDialog({ item, onClose }: { item: Item; onClose: () => void }) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const remove = useMutation({
    mutationFn: () => deleteItem(item.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['items'], refetchType: 'all' });
      navigate('/sell');
      showToast(`“${item.title}” is deleted.`);
    },
    onError: (error) => showToast(adviceFor(asApiError(error).code).what, { tone: 'bad' }),
  });
  return (
    <Dialog label="Delete this listing" onClose={onClose}>
      <div className="dialog__body">
        <h2>Delete this listing?</h2>
        <p>“{item.title}” and all its photos are deleted for good.</p>
        <div className="row row--end">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button variant="light" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete listing
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
