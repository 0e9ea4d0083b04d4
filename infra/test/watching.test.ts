import { expect, test } from 'vitest';
import { z } from 'zod';
import { flat } from './support/flat.ts';
import { allOf, oneOf } from './support/resources.ts';
import { EXAMPLE, VARIANTS } from './support/variants.ts';

const { arrivals, arrivalsFailed, bucket, stacks } = EXAMPLE.names;

test('uploads that arrive in the bucket are queued, encrypted, and put aside for people when they fail', () => {
  expect(oneOf(EXAMPLE, 'AWS::SQS::Queue', { QueueName: arrivals }).properties).toMatchObject({
    SqsManagedSseEnabled: true,
    RedrivePolicy: { maxReceiveCount: 5 },
  });
  expect(oneOf(EXAMPLE, 'AWS::SQS::Queue', { QueueName: arrivalsFailed }).properties).toMatchObject({
    SqsManagedSseEnabled: true,
    MessageRetentionPeriod: 14 * 86_400,
  });
  const { stack, properties } = oneOf(EXAMPLE, 'AWS::Events::Rule');
  expect(flat(properties, EXAMPLE, stack)).toMatchObject({
    State: 'ENABLED',
    EventPattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [bucket] }, object: { key: [{ prefix: 'temp/uploads/' }] } },
    },
    Targets: [{ Arn: '<Arrivals.Arn>', DeadLetterConfig: { Arn: '<ArrivalsFailed.Arn>' } }],
  });
});

test('the queues are written to by EventBridge for that rule only, and over TLS only', () => {
  const policies = allOf(EXAMPLE, 'AWS::SQS::QueuePolicy');
  expect(policies.length).toBe(2);
  for (const { stack, properties } of policies)
    expect(flat(properties, EXAMPLE, stack)).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Condition: { ArnEquals: { 'aws:SourceArn': '<ObjectsArrive.Arn>' } },
          },
        ],
      },
    });
});

/** What rings, and in the region in which AWS publishes the figure. */
const ALARMS = [
  ['ArrivalsWait', stacks.operations, 'ApproximateAgeOfOldestMessage', 300],
  ['ArrivalsGivenUp', stacks.operations, 'ApproximateNumberOfMessagesVisible', 0],
  ['ArrivalsNotDelivered', stacks.operations, 'FailedInvocations', 0],
  ['BucketAnswers5xx', stacks.operations, '5xxErrors', 0.01],
  ['ReplicationFailed', stacks.operations, 'OperationsFailedReplication', 0],
  ['ReplicaIsBehind', stacks.replica, 'ReplicationLatency', 900],
  ['EdgeAnswers5xx', stacks.edge, '5xxErrorRate', 1],
  ['EdgeFunctionsFail', stacks.edge, 'FunctionExecutionErrors', 0],
] as const;

test.each(ALARMS)(
  '%s rings in %s when %s is above %d, and says what to do',
  (id, stack, metric, threshold) => {
    const found = allOf(EXAMPLE, 'AWS::CloudWatch::Alarm').filter((each) => each.id.startsWith(id));
    expect(found.map((each) => each.stack)).toEqual([stack]);
    const [alarm] = found;
    expect(alarm?.properties).toMatchObject({
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: threshold,
      AlarmActions: [{ Ref: expect.stringMatching(/^Alarms/) }],
      OKActions: [{ Ref: expect.stringMatching(/^Alarms/) }],
      AlarmDescription: expect.stringMatching(/^.{40,}[.?]$/),
    });
    expect(JSON.stringify(alarm?.properties)).toContain(`"MetricName":"${metric}"`);
  },
);

test('no alarm is without a row in the table above', () => {
  const ids = allOf(EXAMPLE, 'AWS::CloudWatch::Alarm').map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''));
  expect(ids.toSorted()).toEqual(ALARMS.map(([id]) => id).toSorted());
});

test('the dashboard draws every figure that rings, but errors that are one alarm anyway', () => {
  const { stack, properties } = oneOf(EXAMPLE, 'AWS::CloudWatch::Dashboard');
  const body = String(flat(properties['DashboardBody'], EXAMPLE, stack));
  expect(z.object({ widgets: z.array(z.unknown()).min(10) }).safeParse(JSON.parse(body)).success).toBe(true);
  const drawn = ALARMS.filter(([id]) => id !== 'ArrivalsNotDelivered' && id !== 'EdgeFunctionsFail');
  for (const [, , metric] of drawn) expect(body, metric).toContain(`"${metric}"`);
});

test.each(VARIANTS)(
  'every topic of %s is spoken to over TLS, by services of AWS, and read by the operators',
  (_, synthesised) => {
    const topics = allOf(synthesised, 'AWS::SNS::Topic');
    expect(allOf(synthesised, 'AWS::SNS::TopicPolicy').length).toBe(topics.length);
    const subscriptions = allOf(synthesised, 'AWS::SNS::Subscription');
    expect(subscriptions.length).toBe(topics.length);
    for (const { properties } of subscriptions)
      expect(properties).toMatchObject({ Protocol: 'email', Endpoint: 'operators@localex.example' });
    for (const { properties } of allOf(synthesised, 'AWS::SNS::TopicPolicy'))
      expect(properties).toMatchObject({
        PolicyDocument: {
          Statement: expect.arrayContaining([
            expect.objectContaining({
              Effect: 'Deny',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
            expect.objectContaining({
              Effect: 'Allow',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
              Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
            }),
          ]),
        },
      });
  },
);

test('the budget counts what carries our tag and tells at 80 %, at 100 % and when 100 % is to be expected', () => {
  expect(oneOf(EXAMPLE, 'AWS::Budgets::Budget').properties).toMatchObject({
    Budget: {
      BudgetLimit: { Amount: 100, Unit: 'USD' },
      TimeUnit: 'MONTHLY',
      CostFilters: { TagKeyValue: ['user:project$localex-storage'] },
    },
    NotificationsWithSubscribers: [
      { Notification: { NotificationType: 'ACTUAL', Threshold: 80 } },
      { Notification: { NotificationType: 'ACTUAL', Threshold: 100 } },
      { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
    ],
  });
});

test('cost anomalies of our tag are told at once, from a twentieth of the budget', () => {
  const { properties: monitor } = oneOf(EXAMPLE, 'AWS::CE::AnomalyMonitor');
  expect(monitor).toMatchObject({ MonitorType: 'CUSTOM' });
  expect(JSON.parse(String(monitor['MonitorSpecification']))).toMatchObject({
    Tags: { Key: 'project', Values: ['localex-storage'] },
  });
  const { properties: told } = oneOf(EXAMPLE, 'AWS::CE::AnomalySubscription');
  expect(told).toMatchObject({ Frequency: 'IMMEDIATE', Subscribers: [{ Type: 'SNS' }] });
  expect(JSON.parse(String(told['ThresholdExpression']))).toMatchObject({ Dimensions: { Values: ['5'] } });
});
