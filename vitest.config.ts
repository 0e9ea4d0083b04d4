import { defineConfig } from 'vitest/config';
import { infraIsInstalled } from './scripts/support/infra.ts';

/**
 * `main` shares one process between files, which is what makes it fast: its files leave no global changed.
 * A test that must change one is named `*.isolated.test.ts` and gets a process of its own.
 * `infra` has no process of the service: it looks at what the infrastructure would make.
 * The other projects start the real service (`test/support/service.ts`): `acceptance` two of them at one time, `browser` one.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './test/support/skipped-reporter.ts', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
    globalSetup: ['test/support/global-setup.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: {
        'src/services/**': { lines: 90 },
        'src/domain/**': { lines: 90 },
      },
    },
    projects: [
      {
        test: {
          name: 'main',
          isolate: false,
          include: ['test/{unit,contracts,integration}/**/*.test.ts'],
          exclude: ['**/*.isolated.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'isolated',
          include: ['test/**/*.isolated.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'infra',
          isolate: false,
          include: infraIsInstalled() ? ['infra/test/**/*.test.ts'] : ['infra/test/installed.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/{acceptance,faults,hostile}/**/*.test.ts'],
          exclude: ['**/*.isolated.test.ts'],
          // Each file has a service of its own, which waits more than it works: two share two cores.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
