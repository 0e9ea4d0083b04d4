import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useTitle } from '../app/use-title.ts';
import { EmptyState } from '../components/Notices.tsx';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <>
      <h1 className="unseen">Not found</h1>
      <EmptyState
        icon={<IconMapOff size={34} stroke={1.4} aria-hidden />}
        title="There is no page here"
        action={
          <Button component={Link} href="/">
            See what is near you
          </Button>
        }
      >
        The address may be mistyped, or the listing is gone.
      </EmptyState>
    </>
  );
}
