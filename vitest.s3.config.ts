import { defineConfig } from 'vitest/config';
import { NOT_ON_S3 } from './test/support/not-on-s3.ts';
import { PATIENCE, SERVICE_TEST_LIMIT_MS, SERVICES_AT_ONCE } from './test/support/pace.ts';

/**
 * The suites that start the service, once more with its objects on the S3 server of `TEST_S3_*`: their files as they are.
 * Those named `*.s3.test.ts` use that server anyway, so the other configuration has run them; what else is left out is named in
 * one table, with the reasons.
 */
const suite = {
  maxWorkers: SERVICES_AT_ONCE,
  expect: PATIENCE,
  testTimeout: SERVICE_TEST_LIMIT_MS,
  hookTimeout: SERVICE_TEST_LIMIT_MS,
  setupFiles: ['test/support/s3-profile.ts'],
  exclude: ['**/*.s3.test.ts', '**/*.isolated.test.ts', ...Object.keys(NOT_ON_S3.files)],
  env: { TEST_STORAGE_DRIVER: 's3' },
};

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './test/support/skipped-reporter.ts', 'json'],
    outputFile: { json: 'test-results/vitest-s3.json' },
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        test: {
          name: 'acceptance on S3',
          include: ['test/{acceptance,faults}/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          ...suite,
        },
      },
      {
        test: {
          name: 'browser on S3',
          include: ['test/e2e/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          ...suite,
        },
      },
    ],
  },
});
