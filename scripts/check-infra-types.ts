// Types of the infrastructure, a package of its own, where it is installed (npm ci --prefix infra).
import { existsSync } from 'node:fs';
import { runNode } from './support/run.ts';

const isInstalled = existsSync(new URL('../infra/node_modules/aws-cdk-lib', import.meta.url));
if (isInstalled)
  process.exitCode = await runNode('node_modules/typescript/bin/tsc', '-p', 'infra/tsconfig.json');
else console.log('Types of infra/ are not checked: it is not installed (npm ci --prefix infra).');
