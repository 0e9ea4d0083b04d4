import { fileURLToPath } from 'node:url';
import { readSettings, type Settings } from './settings.ts';

const inFolder = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The example of settings with a public key whose private half nobody has: enough to look at the stacks, and to test them. */
export function exampleSettings(instead: Readonly<Record<string, unknown>> = {}): Settings {
  return readSettings(inFolder('settings.example.json'), {
    publicKeyFiles: ['test/example-public-key.pem'],
    ...instead,
  });
}
