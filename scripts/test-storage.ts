// The parts by themselves: upload, download, delete, signed URLs, metadata, errors, retries, and the contracts
// that every adapter keeps. `npm run coverage` measures what they cover.
import { runVitest } from './support/run.ts';

await runVitest('--project', 'main', '--project', 'isolated', 'test/unit', 'test/contracts');
