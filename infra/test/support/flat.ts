import { z } from 'zod';
import type { Synthesised } from './synthesise.ts';

/**
 * A value of a template with its intrinsic functions worked out as CloudFormation would: names of buckets and queues are
 * literal and come out as such, what AWS gives ids to becomes `<what it is>`.
 */
export function flat(value: unknown, synthesised: Synthesised, stack: string): unknown {
  const inside = (part: unknown) => flat(part, synthesised, stack);
  if (Array.isArray(value)) return value.map(inside);
  if (typeof value !== 'object' || value === null) return value;
  const [[key, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length === 0) {
    if (key === 'Ref' && typeof argument === 'string') return ref(argument, synthesised, stack);
    if (key === 'Fn::GetAtt' && isStrings(argument)) return attribute(argument, synthesised, stack);
    if (key === 'Fn::Join' && Array.isArray(argument)) return join(inside(argument[1]), String(argument[0]));
    if (key === 'Fn::GetStackOutput') return output(argument, synthesised);
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inside(part)]));
}

function ref(id: string, synthesised: Synthesised, stack: string): string {
  if (id === 'AWS::Partition') return 'aws';
  const properties = synthesised.templates[stack]?.Resources[id]?.Properties ?? {};
  const name = properties['BucketName'] ?? properties['RoleName'];
  return typeof name === 'string' ? name : shown(id);
}

function attribute([id = '', name = '']: readonly string[], synthesised: Synthesised, stack: string): string {
  const resource = synthesised.templates[stack]?.Resources[id];
  if (resource?.Type === 'AWS::S3::Bucket' && name === 'Arn')
    return `arn:aws:s3:::${String(resource.Properties['BucketName'])}`;
  return `<${plain(id)}.${name}>`;
}

function output(argument: unknown, synthesised: Synthesised): unknown {
  const { StackName, OutputName } = z
    .object({ StackName: z.string(), OutputName: z.string() })
    .parse(argument);
  const value = synthesised.templates[StackName]?.Outputs[OutputName]?.Value;
  if (value === undefined) throw new Error(`${StackName} has no output ${OutputName}`);
  return flat(value, synthesised, StackName);
}

function join(parts: unknown, by: string): string {
  if (!isStrings(parts)) throw new Error(`Cannot join ${JSON.stringify(parts)}`);
  return parts.join(by);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

const shown = (id: string) => `<${plain(id)}>`;

/** Without the hash that CDK appends. */
function plain(id: string): string {
  return id.replace(/(Resource)?[0-9A-F]{8}$/, '');
}
