import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventParser, type StreamEvent } from '../../../web/src/api/event-stream.ts';

const STREAM =
  ': hello\n\nid: 1\nevent: photo\ndata: {"a":\ndata: 1}\n\nretry: 100\ndata:plain\r\n\r\nevent: order\n\n';
const EVENTS: readonly StreamEvent[] = [
  { name: 'photo', data: '{"a":\n1}' },
  { name: 'message', data: 'plain' },
];

test('events are read with names and lines of data; comments and empty events are passed over', () => {
  expect(parse([STREAM])).toEqual(EVENTS);
});

test('it does not matter where the network cuts the stream', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(STREAM.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
      expect(parse(at.slice(1).map((end, index) => STREAM.slice(at[index], end)))).toEqual(EVENTS);
    }),
  );
});

function parse(chunks: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const feed = createEventParser((event) => events.push(event));
  for (const chunk of chunks) feed(chunk);
  return events;
}
