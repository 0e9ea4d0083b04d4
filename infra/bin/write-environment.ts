// npm run write-environment -- OUTPUTS.json PRIVATE_KEY_FILE: prints the environment of the service from the outputs of
// `cdk deploy --outputs-file` or `aws cloudformation describe-stacks --stack-name localex-storage-storage`.
import { readFileSync } from 'node:fs';
import { environmentFile } from '../src/operator/environment-file.ts';

const [outputs, privateKeyFile] = process.argv.slice(2);
if (outputs === undefined || privateKeyFile === undefined) {
  console.error('usage: write-environment OUTPUTS.json PRIVATE_KEY_FILE');
  process.exitCode = 2;
} else {
  process.stdout.write(environmentFile(JSON.parse(readFileSync(outputs, 'utf8')), privateKeyFile));
}
