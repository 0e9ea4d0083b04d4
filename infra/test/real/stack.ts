import {
  type CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import type { SynthesisedTemplate } from '../support/synthesise.ts';

/**
 * The template without resources of a service that a server does not have. What others take from these becomes a text of the
 * same form.
 */
export function without(template: SynthesisedTemplate, service: string): object {
  const gone = new Set(
    Object.entries(template.Resources)
      .filter(([, { Type }]) => Type.startsWith(`AWS::${service}::`))
      .map(([id]) => id),
  );
  const left = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((part) => !gone.has(String(part))).map(left);
    if (typeof value !== 'object' || value === null) return value;
    if ('Ref' in value && gone.has(String(value.Ref))) return 'E1A2B3C4D5E6F7';
    if (
      'Fn::GetAtt' in value &&
      Array.isArray(value['Fn::GetAtt']) &&
      gone.has(String(value['Fn::GetAtt'][0]))
    )
      return 'd111111abcdef8.cloudfront.net';
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, left(part)]));
  };
  const resources = Object.entries(template.Resources).filter(([id]) => !gone.has(id));
  return { Resources: left(Object.fromEntries(resources)), Outputs: left(template.Outputs) };
}

/** Makes the stack; resolves to its outputs. Throws an Error with the first resource that could not be made. */
export async function createStack(
  client: CloudFormationClient,
  StackName: string,
  template: object,
): Promise<ReadonlyMap<string, string>> {
  await client.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: JSON.stringify(template),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  for (;;) {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    if (stack?.StackStatus === 'CREATE_COMPLETE')
      return new Map(stack.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
    if (stack?.StackStatus !== 'CREATE_IN_PROGRESS') throw new Error(await whatFailed(client, StackName));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const POLL_MS = 200;

async function whatFailed(client: CloudFormationClient, StackName: string): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  const first = StackEvents.findLast(({ ResourceStatus }) => ResourceStatus?.endsWith('FAILED'));
  return `${StackName}: ${first?.LogicalResourceId} ${first?.ResourceStatus} ${first?.ResourceStatusReason}`;
}
