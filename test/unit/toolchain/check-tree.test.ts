import { describe, expect, test } from 'vitest';
import { checkFile } from '../../../scripts/check-tree/check-file.ts';
import { importsOf } from '../../../scripts/check-tree/imports.ts';

const SERVICE = 'src/services/photos/list.ts';

describe('the direction of imports', () => {
  test.each([
    [SERVICE, "import { createS3 } from '#src/adapters/object-store/s3.ts';", 'adapters'],
    [SERVICE, "import { createS3 } from '../../adapters/object-store/s3.ts';", 'adapters'],
    [SERVICE, "import type { Server } from '../../http/server.ts';", 'http'],
    [SERVICE, "export * from '#src/app/compose.ts';", 'app'],
    [SERVICE, "const made = await import('#src/adapters/cdn/edge.ts');", 'adapters'],
    [SERVICE, "import {\n  one,\n  two,\n} from '#src/config/index.ts';", 'config'],
    [SERVICE, "import '#src/app/shutdown.ts';", 'app'],
    ['src/http/routes/items.ts', "import { findItem } from '#src/db/items.ts';", 'db'],
    ['src/adapters/cdn/edge.ts', "import type { ServiceDeps } from '#src/services/deps.ts';", 'services'],
    ['src/domain/keys.ts', "import type { Clock } from '../ports/clock.ts';", 'ports'],
    ['src/ports/clock.ts', "import { now } from '#test/support/clock.ts';", 'test'],
  ])('%s may not hold %s', (file, source, folder) => {
    const problems = checkFile(file, source);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${file}:`);
    expect(problems[0]).toContain(folder);
  });

  test.each([
    [SERVICE, "import fastify from 'fastify';"],
    [SERVICE, "import { S3Client } from '@aws-sdk/client-s3';"],
    [SERVICE, "import { sql } from 'kysely';"],
    ['src/http/server.ts', "const { default: sharp } = await import('sharp');"],
    ['src/domain/keys.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/domain/keys.ts', "import { z } from 'zod';"],
  ])('%s may not hold the package of %s', (file, source) => {
    expect(checkFile(file, source)).toHaveLength(1);
  });

  test('what the layers allow is left alone', () => {
    expect(
      checkFile(
        SERVICE,
        [
          "import { randomUUID } from 'node:crypto';",
          "import { findPhotos } from '#src/db/files.ts';",
          "import { StorageError } from '../../domain/errors.ts';",
          "import { view } from './photo-view.ts';",
          "// import { createS3 } from '#src/adapters/object-store/s3.ts';",
          "/** import('#src/adapters/cdn/edge.ts') */",
        ].join('\n'),
      ),
    ).toEqual([]);
    expect(checkFile('src/app/compose.ts', "import { s3 } from '#src/adapters/object-store/s3.ts';")).toEqual(
      [],
    );
    expect(checkFile('src/main.ts', "import { compose } from './app/compose.ts';")).toEqual([]);
  });

  test('a new top folder must say where it stands', () => {
    expect(checkFile('src/billing/cost.ts', "import { x } from '#src/domain/keys.ts';")[0]).toContain(
      'does not know',
    );
  });
});

test('every form of import is seen, with its line', () => {
  const source = [
    "import a from 'a'",
    'import type { B } from "b";',
    "import c, { type D } from 'c';",
    'export { e } from "e";',
    "export type * from 'f';",
    "const g = import('g');",
    "const url = 'https://example.org/import';",
    "import 'h';",
    'const i = await import(\n  "i"\n);',
  ].join('\n');
  expect(importsOf(source).map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
    '1 a',
    '2 b',
    '3 c',
    '4 e',
    '5 f',
    '6 g',
    '8 h',
    '10 i',
  ]);
});

test.each(['oxlint-', 'eslint-'])('a comment with %sdisable is found', (tool) => {
  expect(checkFile('test/unit/a.test.ts', `const a = 1; // ${tool}disable-line no-any`)).toHaveLength(1);
});

test('a source file of 301 lines is found, one of 300 is not', () => {
  expect(checkFile('src/http/long.ts', 'x;\n'.repeat(300))).toEqual([]);
  expect(checkFile('src/http/long.ts', 'x;\n'.repeat(301))).toHaveLength(1);
});
