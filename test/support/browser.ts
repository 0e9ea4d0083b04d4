import { accessSync, constants } from 'node:fs';

/** Where systems put Chromium or Chrome, best first. */
const USUAL_PLACES: readonly string[] = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * The system's Chromium, or undefined where there is none.
 *
 * @param wanted a path that somebody asked for: it is taken, or refused with an Error; never passed over.
 */
export function browserPath(wanted?: string): string | undefined {
  if (wanted === undefined) return USUAL_PLACES.find(isExecutable);
  if (!isExecutable(wanted)) throw new Error(`Expected a program at ${wanted}`);
  return wanted;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
