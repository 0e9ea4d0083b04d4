import { expect, test } from 'vitest';
import { prefixesWrittenBy } from '#src/app/object-stores.ts';

test('the start of a web process tries to write accepted restores, and leaves heads of the ledger to workers', () => {
  const web = prefixesWrittenBy(['http', 'edge']);
  const worker = prefixesWrittenBy(['worker']);
  expect(web.filter((prefix) => prefix.startsWith('audit/'))).toEqual(['audit/restores/']);
  expect(worker.filter((prefix) => prefix.startsWith('audit/'))).toEqual(['audit/']);
  expect(web.filter((prefix) => !prefix.startsWith('audit/'))).toEqual(
    worker.filter((prefix) => !prefix.startsWith('audit/')),
  );
  expect(prefixesWrittenBy(['http', 'worker', 'edge'])).toEqual(worker);
});
