import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { createApp } from '../../src/app.ts';
import { exampleSettings } from '../../src/example.ts';
import { namesOf } from '../../src/names.ts';
import type { Settings } from '../../src/settings.ts';
import context from '../../cdk.json' with { type: 'json' };

const TEMPLATE = z.object({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z
    .record(z.string(), z.looseObject({ Value: z.unknown(), Description: z.string().optional() }))
    .default({}),
});
export type SynthesisedTemplate = z.infer<typeof TEMPLATE>;

const REPORT = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      conclusion: z.string(),
      violations: z.array(z.unknown()),
      suppressedViolations: z
        .array(z.object({ ruleName: z.string(), acknowledgedId: z.string(), reason: z.string() }))
        .default([]),
    }),
  ),
});

export interface Synthesised {
  readonly settings: Settings;
  readonly names: ReturnType<typeof namesOf>;
  /** By the name of the stack. */
  readonly templates: Readonly<Record<string, SynthesisedTemplate>>;
  /** The same, as they would be sent. */
  readonly texts: Readonly<Record<string, string>>;
  readonly report: z.infer<typeof REPORT>;
}

/** What the operator may switch on beside the example. */
export const EVERYTHING = {
  encryption: 'kms',
  firewall: true,
  countries: { allow: ['DE', 'AT'] },
  domain: {
    name: 'cdn.localex.example',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666',
  },
  compute: 'ec2',
} as const;

/** Synthesises offline into a folder of its own, with the flags of cdk.json, as `cdk synth` does. */
export function synthesise(instead: Readonly<Record<string, unknown>> = {}): Synthesised {
  const settings = exampleSettings(instead);
  const outdir = mkdtempSync(path.join(tmpdir(), 'localex-infra-'));
  const assembly = createApp(settings, { outdir, context: context.context }).synth();
  const texts = Object.fromEntries(
    assembly.stacks.map((stack) => [stack.stackName, readFileSync(stack.templateFullPath, 'utf8')]),
  );
  const report: unknown = JSON.parse(readFileSync(path.join(outdir, 'validation-report.json'), 'utf8'));
  return {
    settings,
    names: namesOf(settings),
    templates: Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, TEMPLATE.parse(JSON.parse(text))]),
    ),
    texts,
    report: REPORT.parse(report),
  };
}
