import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { infraIsInstalled } from './scripts/support/infra.ts';
import { PATIENCE, SERVICE_TEST_LIMIT_MS, SERVICES_AT_ONCE, TEST_LIMIT_MS } from './test/support/pace.ts';

/** Its files wait for a database and image processes as long as they work: on two cores two at a time, not vitest's one. */
const WORKERS_OF_MAIN = Math.max(2, availableParallelism() - 1);

/**
 * `main` shares processes between files, which is what makes it fast: its files leave no global changed.
 * A test that must change one is named `*.isolated.test.ts` and gets a process of its own.
 * `infra` has no process of the service but one: it looks at what the infrastructure would make.
 * `acceptance` and `browser` start the real service (`test/support/service.ts`). All but `main` are one group, so that a worker
 * which one of them leaves idle takes a file of the next.
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
          maxWorkers: WORKERS_OF_MAIN,
          expect: PATIENCE,
          testTimeout: TEST_LIMIT_MS,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'isolated',
          include: ['test/**/*.isolated.test.ts'],
          maxWorkers: SERVICES_AT_ONCE,
          expect: PATIENCE,
          testTimeout: TEST_LIMIT_MS,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'infra',
          isolate: false,
          include: infraIsInstalled() ? ['infra/test/**/*.test.ts'] : ['infra/test/installed.test.ts'],
          maxWorkers: SERVICES_AT_ONCE,
          expect: PATIENCE,
          testTimeout: TEST_LIMIT_MS,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/{acceptance,faults,hostile}/**/*.test.ts'],
          exclude: ['**/*.isolated.test.ts'],
          maxWorkers: SERVICES_AT_ONCE,
          expect: PATIENCE,
          testTimeout: SERVICE_TEST_LIMIT_MS,
          hookTimeout: SERVICE_TEST_LIMIT_MS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/e2e/**/*.test.ts'],
          maxWorkers: SERVICES_AT_ONCE,
          expect: PATIENCE,
          testTimeout: SERVICE_TEST_LIMIT_MS,
          hookTimeout: SERVICE_TEST_LIMIT_MS,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
