import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { bytesAndMetadata } from './object-store/bytes.ts';
import { copyingAndClasses } from './object-store/copying.ts';
import { hiding } from './object-store/hiding.ts';
import { keysOfAnyShape } from './object-store/keys.ts';
import { largeObjects } from './object-store/large.ts';
import { listing } from './object-store/listing.ts';
import { presignedAccess } from './object-store/presigned.ts';
import type { StoreUnderTest } from './object-store/support.ts';
import { sweeping } from './object-store/sweeping.ts';
import { tags } from './object-store/tags.ts';
import { visibility } from './object-store/visibility.ts';

/** What any object store must do; see `src/ports/object-store.ts`. `start` gives an empty one. */
export function objectStoreContract(product: string, start: () => Promise<StoreUnderTest>): void {
  describe(`an object store on ${product}`, () => {
    let started: StoreUnderTest;
    const under = () => started;
    beforeAll(async () => {
      started = await start();
    }, 60_000);
    afterAll(async () => {
      await started?.store.close();
      await started?.stop?.();
    });

    beforeEach(({ task, skip }) => {
      const gap = started.gaps?.[task.name];
      if (gap !== undefined) skip(gap);
    });

    bytesAndMetadata(under);
    keysOfAnyShape(under);
    visibility(under);
    listing(under);
    hiding(under);
    copyingAndClasses(under);
    presignedAccess(under);
    largeObjects(under);
    tags(under);
    sweeping(under);
  });
}
