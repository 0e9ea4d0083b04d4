import { expect, test } from 'vitest';
import { allOf } from './support/resources.ts';
import { EVERYTHING, synthesise } from './support/synthesise.ts';
import { VARIANTS, WITH_EVERYTHING } from './support/variants.ts';

/** CloudFormation takes a template of so many bytes without a bucket to fetch it from ("CloudFormation quotas", 2025). */
const MAX_TEMPLATE_BYTES = 51_200;

test.each(VARIANTS)('%s passes cdk-nag and CloudFormation’s validation', (_, { report }) => {
  expect(report.pluginReports.map(({ pluginName }) => pluginName)).toContain('AwsSolutions');
  expect(report.pluginReports.length).toBeGreaterThanOrEqual(2);
  for (const { pluginName, conclusion, violations } of report.pluginReports)
    expect({ pluginName, conclusion, violations }).toEqual({
      pluginName,
      conclusion: 'success',
      violations: [],
    });
});

test.each(VARIANTS)('%s gives a reason for each finding that stands', (_, { report }) => {
  const stands = report.pluginReports.flatMap(({ suppressedViolations }) => suppressedViolations);
  expect(stands.length).toBeGreaterThan(0);
  for (const { ruleName, reason } of stands) expect(reason, ruleName).toMatch(/^[A-Z].{30,}\.$/);
});

test('what an operator switches on is no finding any more', () => {
  const rules = WITH_EVERYTHING.report.pluginReports.flatMap(({ suppressedViolations }) =>
    suppressedViolations.map(({ ruleName }) => ruleName),
  );
  for (const rule of ['AwsSolutions-CFR1', 'AwsSolutions-CFR2', 'AwsSolutions-CFR4'])
    expect(rules).not.toContain(rule);
});

test('two syntheses give the same templates', () => {
  expect(synthesise(EVERYTHING).texts).toEqual(WITH_EVERYTHING.texts);
});

test.each(VARIANTS)(
  '%s needs no bootstrapped account: no assets, templates that fit into a request',
  (_, synthesised) => {
    for (const [stack, text] of Object.entries(synthesised.texts)) {
      expect(Buffer.byteLength(text), stack).toBeLessThan(MAX_TEMPLATE_BYTES);
      expect(text, stack).not.toMatch(/BootstrapVersion|cdk-hnb659fds|AssetParameters/);
    }
  },
);

test.each(VARIANTS)('%s runs no code in the account but the functions at the edge', (_, synthesised) => {
  expect(allOf(synthesised, 'AWS::Lambda::Function')).toEqual([]);
  const types = Object.values(synthesised.templates).flatMap(({ Resources }) =>
    Object.values(Resources).map(({ Type }) => Type),
  );
  expect(types.filter((type) => type.startsWith('Custom::'))).toEqual([]);
});

test.each(VARIANTS)(
  '%s marks all that costs money with the tag that costs are told apart by',
  (_, synthesised) => {
    for (const type of [
      'AWS::S3::Bucket',
      'AWS::SQS::Queue',
      'AWS::KMS::Key',
      'AWS::CloudFront::Distribution',
    ])
      for (const { stack, id, properties } of allOf(synthesised, type))
        expect(properties['Tags'], `${stack} ${id}`).toContainEqual({
          Key: 'project',
          Value: 'localex-storage',
        });
  },
);
