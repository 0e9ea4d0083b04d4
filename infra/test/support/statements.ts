import { z } from 'zod';
import { flat } from './flat.ts';
import { allOf } from './resources.ts';
import type { Synthesised } from './synthesise.ts';

const MANY = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** As a policy writes it: one action or resource may stand for a list of them. */
export const STATEMENT = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z
    .union([
      z.literal('*').transform(() => ({ AWS: '*' })),
      z.object({ AWS: z.unknown() }),
      z.object({ Service: z.string() }),
    ])
    .optional(),
  Action: MANY,
  Resource: MANY,
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.infer<typeof STATEMENT>;

const DOCUMENT = z.object({ Statement: z.array(STATEMENT) });
const BUCKET_POLICY = z.object({ PolicyDocument: DOCUMENT });
const ROLE_POLICY = z.object({ PolicyDocument: DOCUMENT, Roles: z.array(z.string()) });

/** Of the policies of all buckets. */
export function bucketStatements(synthesised: Synthesised): readonly Statement[] {
  return allOf(synthesised, 'AWS::S3::BucketPolicy').flatMap(
    ({ stack, properties }) =>
      BUCKET_POLICY.parse(flat(properties, synthesised, stack)).PolicyDocument.Statement,
  );
}

/** By the name of the role that has them. */
export function roleStatements(synthesised: Synthesised): ReadonlyMap<string, readonly Statement[]> {
  const policies = allOf(synthesised, 'AWS::IAM::Policy').map(({ stack, properties }) =>
    ROLE_POLICY.parse(flat(properties, synthesised, stack)),
  );
  const roles = policies.flatMap(({ Roles, PolicyDocument }) =>
    Roles.map((role) => [role, PolicyDocument.Statement] as const),
  );
  return new Map(roles);
}
