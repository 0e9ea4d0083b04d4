// The parts together, over a real database and real image processes, and then the started service from outside.
import { runVitest } from './support/run.ts';

const PROJECTS = ['main', 'isolated', 'acceptance'];
const FOLDERS = ['test/integration', 'test/acceptance', 'test/faults'];

await runVitest(...PROJECTS.flatMap((project) => ['--project', project]), ...FOLDERS);
