import { existsSync } from 'node:fs';

/** The infrastructure is a package of its own, which is not installed where only the product is wanted. */
export function infraIsInstalled(): boolean {
  return existsSync(new URL('../../infra/node_modules/aws-cdk-lib', import.meta.url));
}
