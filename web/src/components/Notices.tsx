import './notices.css';
import { Button } from '@mantine/core';
import { IconCloudOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { asApiError } from '../api/api-error.ts';
import { adviceFor } from '../upload/advice.ts';

/** Says that something could not be loaded, why, and offers another try where that may help. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asApiError(error);
  const advice = adviceFor(problem.code);
  const missing = problem.code === 'NOT_FOUND';
  return (
    <div className="notice" role="alert">
      <IconCloudOff size={36} stroke={1.4} aria-hidden />
      <h1 className="notice__title">{missing ? 'This is not here' : advice.what}</h1>
      <p className="soft">{missing ? 'It may have been deleted, or was never public.' : advice.next}</p>
      {onRetry && !missing && (
        <Button variant="light" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Says that there is nothing yet, and what to do about it. */
export function EmptyState(props: {
  icon: ReactNode;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="notice">
      <span className="notice__icon">{props.icon}</span>
      <h2>{props.title}</h2>
      <p className="soft">{props.children}</p>
      {props.action}
    </div>
  );
}
