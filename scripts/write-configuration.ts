// Writes the tables of docs/configuration.md from src/config; a test finds it when this was forgotten.
import { readFileSync, writeFileSync } from 'node:fs';
import { withConfigurationTables } from './support/configuration-table.ts';

const file = new URL('../docs/configuration.md', import.meta.url);
writeFileSync(file, withConfigurationTables(readFileSync(file, 'utf8')));
