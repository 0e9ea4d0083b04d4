import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** Names what was not run, at the very end, so that a skip is never overlooked; not what `-t` has left out. */
export default class SkippedReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#vitest?.config.testNamePattern !== undefined) return;
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')].map(describe));
    if (skipped.length > 0) console.log([`\nSkipped (${skipped.length}):`, ...skipped].join('\n'));
  }
}

function describe(test: TestCase): string {
  const result = test.result();
  const why = result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : '';
  return `  ${test.module.relativeModuleId} > ${test.fullName}${why}`;
}
