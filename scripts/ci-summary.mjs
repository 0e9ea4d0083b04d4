// Prints the one line that ends a run of checks, from vitest's JSON reports:
//   node scripts/ci-summary.mjs [--failed-steps=N] REPORT…
// Runs on any Node that is still supported, since it must also speak when installing has failed.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * @param {readonly unknown[]} reports parsed reports of vitest's `json` reporter
 * @param {number} failedSteps steps that failed beside the tests; each counts as one
 * @returns {string} `N passed, N failed, N skipped`
 */
export function summarise(reports, failedSteps = 0) {
  const files = reports.flatMap((report) => report.testResults);
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const passed = statuses.filter((status) => status === 'passed').length;
  const failed = statuses.filter((status) => status === 'failed').length;
  // A file that could not even be loaded has no tests to count.
  const broken = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const skipped = statuses.length - passed - failed;
  return `${passed} passed, ${failed + broken + failedSteps} failed, ${skipped} skipped`;
}

/** A report that is missing or cut off counts as nothing: the step that should have written it has failed. */
function readReport(file) {
  try {
    return [JSON.parse(readFileSync(file, 'utf8'))];
  } catch {
    return [];
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = process.argv.find((argument) => argument.startsWith('--failed-steps='));
  const reports = process.argv.slice(2).filter((argument) => argument !== option);
  console.log(summarise(reports.flatMap(readReport), Number(option?.split('=')[1] ?? 0)));
}
