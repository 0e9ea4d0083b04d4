import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

const FOLDER = new URL('../', import.meta.url);
const isInstalled = existsSync(new URL('node_modules/aws-cdk-lib', FOLDER));
const MANIFEST = z.object({ dependencies: z.record(z.string(), z.string()) });
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));

// Named where it is skipped: all other tests of the infrastructure are left out then.
test.skipIf(!isInstalled)('the infrastructure is installed as it is locked (npm ci --prefix infra)', () => {
  const { dependencies } = MANIFEST.parse(read('package.json'));
  for (const [name, version] of Object.entries(dependencies))
    expect(read(`node_modules/${name}/package.json`), name).toMatchObject({ version });
});
