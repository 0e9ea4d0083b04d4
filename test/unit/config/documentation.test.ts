import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withConfigurationTables } from '../../../scripts/support/configuration-table.ts';

const document = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

test('the document of the settings is what `npm run docs:configuration` would write', () => {
  expect(document).toBe(withConfigurationTables(document));
});
