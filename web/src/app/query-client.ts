import { QueryClient } from '@tanstack/react-query';
import { asApiError } from '../api/api-error.ts';

/** Answers of the API, kept for as long as the page. Waits as long as the service asks before it tries again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 3 && asApiError(error).retryable,
      retryDelay: (failures, error) => (asApiError(error).retryAfter ?? 2 ** failures) * 1000,
    },
  },
});
