import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, type ChildOptions, startChild } from './child.ts';
import type { WorkerCommand, WorkerSettings } from './protocol.ts';

export interface ImageProcessOptions extends Omit<ChildOptions, 'entry'> {
  readonly settings: WorkerSettings;
}

export type ImageProcess = Child<WorkerCommand>;

/** The entry beside this file, in TypeScript in the checkout and in JavaScript once built. */
const ENTRY = fileURLToPath(new URL(`worker/main${path.extname(import.meta.url)}`, import.meta.url));

export function startImageProcess(options: ImageProcessOptions): ImageProcess {
  return startChild({ ...options, entry: ENTRY });
}
