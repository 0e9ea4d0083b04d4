import './search.css';
import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import type { SubmitEvent } from 'react';
import { useLocation, useSearchParams } from 'wouter';

/** Asks for photos in words; what else is asked for stays as it is. */
export function SearchBox() {
  const [asked] = useSearchParams();
  const [, go] = useLocation();
  const words = asked.get('q') ?? '';
  const search = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const next = new URLSearchParams(asked);
    const text = new FormData(event.currentTarget).get('q');
    if (typeof text === 'string' && text.trim() !== '') next.set('q', text.trim());
    else next.delete('q');
    go(`/search?${next.toString()}`);
  };
  return (
    <search>
      <form className="search" onSubmit={search}>
        <TextInput
          key={words}
          name="q"
          type="search"
          aria-label="Search photos"
          placeholder="Bicycle, teapot, sofa …"
          maxLength={200}
          size="md"
          defaultValue={words}
          leftSection={<IconSearch size={18} aria-hidden />}
        />
        <Button type="submit" size="md">
          Search
        </Button>
      </form>
    </search>
  );
}
