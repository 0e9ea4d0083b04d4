// The web app as people use it, in the system's Chromium; skipped by name where there is none.
import { runVitest } from './support/run.ts';

await runVitest('--project', 'browser');
