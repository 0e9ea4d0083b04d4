// oxlint over everything; without infra/ where that is not installed, since rules about types would be wrong there.
import { infraIsInstalled } from './support/infra.ts';
import { runNode } from './support/run.ts';

const without = infraIsInstalled() ? [] : ['--ignore-pattern', 'infra/**'];
process.exitCode = await runNode('node_modules/oxlint/bin/oxlint', ...without, ...process.argv.slice(2));
