import { readFile } from 'node:fs/promises';

/** Source of the viewer-request function of the distribution, for whoever creates it. At most 10 KB, as CloudFront asks. */
export function acceptFunctionSource(): Promise<string> {
  return readFile(new URL('accept-function.js', import.meta.url), 'utf8');
}
