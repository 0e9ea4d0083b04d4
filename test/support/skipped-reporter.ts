import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Names what was not run, at the very end, so that a skip is never overlooked. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')].map(describe));
    if (skipped.length > 0) console.log([`\nSkipped (${skipped.length}):`, ...skipped].join('\n'));
  }
}

function describe(test: TestCase): string {
  const result = test.result();
  const why = result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : '';
  return `  ${test.module.relativeModuleId} > ${test.fullName}${why}`;
}
