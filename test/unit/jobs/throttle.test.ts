import { expect, test } from 'vitest';
import { createThrottle } from '#src/jobs/scrub/throttle.ts';

const never = new AbortController().signal;

test('many who share it keep the rate together', async () => {
  const throttle = createThrottle(1_000_000);
  const began = performance.now();
  const lane = async () => {
    for (let read = 0; read < 5; read += 1) await throttle.take(10_000, never);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  const seconds = (performance.now() - began) / 1000;
  expect(200_000 / seconds).toBeLessThan(1_050_000);
});

test('what was not read in a pause is not made up for', async () => {
  let now = 0;
  const throttle = createThrottle(1000, () => now);
  await throttle.take(4, never);
  now = 60_000;
  await throttle.take(4, never);
  const stop = new AbortController();
  const waiting = throttle.take(1000, stop.signal);
  stop.abort('enough');
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
});
