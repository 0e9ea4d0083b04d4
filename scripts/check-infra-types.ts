// Types of the infrastructure, where it is installed (npm ci --prefix infra).
import { infraIsInstalled } from './support/infra.ts';
import { runNode } from './support/run.ts';

if (infraIsInstalled())
  process.exitCode = await runNode('node_modules/typescript/bin/tsc', '-p', 'infra/tsconfig.json');
else console.log('Types of infra/ are not checked: it is not installed (npm ci --prefix infra).');
