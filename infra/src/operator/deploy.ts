import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readSettings } from '../settings.ts';
import { environmentFile } from './environment-file.ts';
import { makeKeyPair } from './key-pair.ts';

/** Where an installation keeps what is its own, in the folder of the infrastructure; none of it is committed. */
const SETTINGS = 'settings.json';
const KEY = 'keys/cloudfront';
const OUTPUTS = 'cdk.out/outputs.json';
const ENVIRONMENT_FILE = 'localex.env';

export interface DeployOptions {
  readonly folder: string;
  /** Runs the AWS CDK's command line with these arguments; resolves with its exit code. */
  readonly cdk: (args: readonly string[]) => Promise<number>;
  /** What the operator adds, such as `--require-approval never`. */
  readonly args: readonly string[];
  readonly say: (line: string) => void;
}

/**
 * Everything from a file of settings to the environment of the service: makes the keys of signed URLs where there are none,
 * deploys all stacks, writes the environment file. Doing it again changes what has changed. Throws an Error in words when
 * something is not as it should be; the exit code of a failed deployment is passed on.
 */
export async function deploy({ folder, cdk, args, say }: DeployOptions): Promise<number> {
  const at = (name: string) => path.join(folder, name);
  if (!existsSync(at(SETTINGS)))
    throw new Error(`There is no ${SETTINGS}: copy settings.example.json and put in your account`);
  if (!existsSync(at(`${KEY}.pub.pem`))) {
    makeKeyPair(at(KEY));
    say(`Made ${KEY}.pem and ${KEY}.pub.pem: keep the first as a secret of the service`);
  }
  readSettings(at(SETTINGS));

  mkdirSync(path.dirname(at(OUTPUTS)), { recursive: true });
  const code = await cdk(['deploy', '--all', '--outputs-file', OUTPUTS, ...args]);
  if (code !== 0) return code;

  const outputs: unknown = JSON.parse(readFileSync(at(OUTPUTS), 'utf8'));
  writeFileSync(at(ENVIRONMENT_FILE), environmentFile(outputs, at(`${KEY}.pem`)));
  say(`Wrote ${ENVIRONMENT_FILE}: the environment of the service`);
  return 0;
}
