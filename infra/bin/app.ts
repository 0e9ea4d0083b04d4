// What `cdk` runs: the stacks of settings.json, or of the example while there is none, which is enough to look at them.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createApp } from '../src/app.ts';
import { exampleSettings } from '../src/example.ts';
import { readSettings } from '../src/settings.ts';

const own = fileURLToPath(new URL('../settings.json', import.meta.url));
createApp(existsSync(own) ? readSettings(own) : exampleSettings()).synth();
