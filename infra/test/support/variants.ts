import { EVERYTHING, synthesise } from './synthesise.ts';

/** Made once for all files, which share a process. */
export const EXAMPLE = synthesise();
export const WITH_EVERYTHING = synthesise(EVERYTHING);
export const VARIANTS = [
  ['the example', EXAMPLE],
  ['everything that can be switched on', WITH_EVERYTHING],
] as const;
