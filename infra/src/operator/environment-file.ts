import { z } from 'zod';
import { ENVIRONMENT, OPTIONAL_ENVIRONMENT, outputOf } from '../environment.ts';

/** `cdk deploy --outputs-file`: stack → output → value. */
const CDK_OUTPUTS = z.record(z.string(), z.record(z.string(), z.string()));
/** `aws cloudformation describe-stacks`. */
const DESCRIBED_STACKS = z.object({
  Stacks: z.array(
    z.object({
      Outputs: z.array(z.object({ OutputKey: z.string(), OutputValue: z.string() })).default([]),
    }),
  ),
});

/** What an environment file may hold without quotes, in every reader of such files. */
const PLAIN = /^[\w@%+=:,./{}-]+$/;

/**
 * The text of an environment file (`NAME=value` lines) from the outputs of the stacks, as either of the two tools prints
 * them. Throws an Error that names what is missing or cannot be written.
 *
 * @param privateKeyFile where the service finds the private half of the first public key, as a path on its machine
 */
export function environmentFile(outputs: unknown, privateKeyFile: string): string {
  const values = valuesOf(outputs);
  const missing = ENVIRONMENT.filter((variable) => !values.has(outputOf(variable)));
  if (missing.length > 0) throw new Error(`The outputs do not have ${missing.join(', ')}`);
  const lines = [...ENVIRONMENT, ...OPTIONAL_ENVIRONMENT].flatMap((variable) => {
    const value = values.get(outputOf(variable));
    return value === undefined ? [] : [line(variable, value)];
  });
  return [...lines, line('CLOUDFRONT_PRIVATE_KEY_FILE', privateKeyFile)].join('');
}

function line(variable: string, value: string): string {
  if (!PLAIN.test(value))
    throw new Error(`${variable} cannot be written without quotes: ${JSON.stringify(value)}`);
  return `${variable}=${value}\n`;
}

function valuesOf(outputs: unknown): ReadonlyMap<string, string> {
  const described = DESCRIBED_STACKS.safeParse(outputs);
  if (described.success)
    return new Map(
      described.data.Stacks.flatMap(({ Outputs }) =>
        Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue] as const),
      ),
    );
  const byStack = CDK_OUTPUTS.safeParse(outputs);
  if (!byStack.success)
    throw new Error(
      'Expected what `cdk deploy --outputs-file` or `aws cloudformation describe-stacks` writes',
    );
  return new Map(Object.values(byStack.data).flatMap((values) => Object.entries(values)));
}
