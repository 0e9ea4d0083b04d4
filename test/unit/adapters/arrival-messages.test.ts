import { describe, expect, test } from 'vitest';
import { readMessage } from '#src/adapters/arrivals/messages.ts';
import { objectCreated } from '#test/support/aws.ts';

const BUCKET = 'photos';
const read = (message: unknown) => readMessage(JSON.stringify(message), BUCKET);

/** A notification of S3 itself (Amazon S3 User Guide, "Event message structure", 2025). */
function notification(...objects: { bucket?: string; name?: string; key: string }[]) {
  return {
    Records: objects.map(({ bucket = BUCKET, name = 'ObjectCreated:Post', key }) => ({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: '2026-01-05T09:30:00.000Z',
      eventName: name,
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'arrivals',
        bucket: { name: bucket, ownerIdentity: { principalId: 'A3' }, arn: `arn:aws:s3:::${bucket}` },
        object: { key, size: 5, eTag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '0055AED6DCD90281E5' },
      },
    })),
  };
}

describe('an event of EventBridge', () => {
  test('tells the key as it is', () => {
    const key = 'temp/uploads/a+b%20c';
    expect(read(objectCreated(BUCKET, key))).toEqual({ keys: [key] });
  });

  test('of another bucket, or of something else than a new object, tells no key', () => {
    expect(read(objectCreated('others', 'temp/uploads/a'))).toEqual({ keys: [] });
    const deleted = { ...objectCreated(BUCKET, 'temp/uploads/a'), 'detail-type': 'Object Deleted' };
    expect(read(deleted)).toEqual({ keys: [] });
  });
});

describe('a notification of the bucket', () => {
  test('tells the keys of all its records, decoded', () => {
    expect(read(notification({ key: 'temp/uploads/a%2Bb+c%C3%A4' }, { key: 'temp/uploads/d' }))).toEqual({
      keys: ['temp/uploads/a+b cä', 'temp/uploads/d'],
    });
  });

  test('of other buckets and of removals tells no key', () => {
    const others = notification({ bucket: 'others', key: 'a' }, { name: 'ObjectRemoved:Delete', key: 'b' });
    expect(read(others)).toEqual({ keys: [] });
  });

  test('that only tries the queue tells no key', () => {
    const trial = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-01-05T09:30:00.000Z',
      Bucket: BUCKET,
      RequestId: '5582815E1AEA5ADF',
      HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
    };
    expect(read(trial)).toEqual({ keys: [] });
  });
});

test.each([
  ['no JSON', 'hello'],
  ['another shape', '{"a":1}'],
  ['a list', '[]'],
  ['nothing', ''],
  ['a record without an object', JSON.stringify({ Records: [{ eventSource: 'aws:s3', eventName: 'x' }] })],
  ['a key that cannot be decoded', JSON.stringify(notification({ key: 'temp/%E0%A4%A' }))],
])('%s cannot be read', (_what, body) => {
  expect(readMessage(body, BUCKET)).toBe('unreadable');
});
