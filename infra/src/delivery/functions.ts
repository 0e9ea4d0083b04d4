import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Function as EdgeFunction, FunctionCode, FunctionRuntime } from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import type { Names } from '../names.ts';

/** The product's own source, so that what runs at CloudFront is what its tests run. */
const ACCEPT_SOURCE = fileURLToPath(
  new URL('../../../src/adapters/cdn/cloudfront/accept-function.js', import.meta.url),
);

/** Bytes of a function's code at most (CloudFront Developer Guide, "Quotas on CloudFront Functions", 2025). */
export const MAX_FUNCTION_BYTES = 10_240;

/** Answers what no other behaviour matches: 403, without asking the bucket. */
export const REFUSE_SOURCE = `function handler() {
  return {
    statusCode: 403,
    statusDescription: 'Forbidden',
    headers: { 'cache-control': { value: 'no-store' } },
  };
}
`;

export interface EdgeFunctions {
  /** Before the cache: picks one of the formats that a photo has, so that a cache holds two answers and not a hundred. */
  readonly accept: EdgeFunction;
  /** Answers what no other behaviour matches. */
  readonly refuse: EdgeFunction;
}

export function edgeFunctions(scope: Construct, names: Names): EdgeFunctions {
  return {
    accept: functionOf(
      scope,
      'Accept',
      names.acceptFunction,
      'Picks the format',
      readFileSync(ACCEPT_SOURCE, 'utf8'),
    ),
    refuse: functionOf(scope, 'Refuse', names.refuseFunction, 'Refuses the rest', REFUSE_SOURCE),
  };
}

function functionOf(scope: Construct, id: string, functionName: string, comment: string, source: string) {
  const bytes = Buffer.byteLength(source);
  if (bytes > MAX_FUNCTION_BYTES)
    throw new Error(`Function ${functionName} has ${bytes} bytes; CloudFront takes ${MAX_FUNCTION_BYTES}`);
  return new EdgeFunction(scope, id, {
    functionName,
    comment,
    runtime: FunctionRuntime.JS_2_0,
    code: FunctionCode.fromInline(source),
    autoPublish: true,
  });
}
