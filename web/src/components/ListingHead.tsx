import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import { asApiError } from '../api/api-error.ts';
import { updateItem } from '../api/endpoints.ts';
import type { Item, ItemStatus } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { STATUS_WORDS } from './words.ts';

/** Title and state of a seller's listing, with the way to put it online. */
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
      </div>
    </div>
  );
}
