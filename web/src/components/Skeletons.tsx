import { Skeleton } from '@mantine/core';

/** Stands in for a page whose code or data is on its way. */
export function PageSkeleton() {
  return (
    <div aria-busy="true">
      <span className="unseen">Loading</span>
      <Skeleton height={34} width="40%" mb={28} />
      <CardsSkeleton />
    </div>
  );
}

export function CardsSkeleton({ count = 8 }: { count?: number }) {
  return (
    <div className="cards" aria-hidden>
      {Array.from({ length: count }, (_, index) => (
        <div key={index}>
          <Skeleton className="cards__ghost" radius={14} />
          <Skeleton height={14} mt={12} width="70%" />
          <Skeleton height={12} mt={8} width="35%" />
        </div>
      ))}
    </div>
  );
}
