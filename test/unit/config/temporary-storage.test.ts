import { describe, expect, test } from 'vitest';
import { loadConfig } from '#src/config/index.ts';
import { RETENTION } from '#src/domain/retention.ts';
import { refusal } from './refusal.ts';

describe('bytes in temporary storage', () => {
  test('have no longer to arrive than they are kept', () => {
    const { message, problems } = refusal({ UPLOAD_DEADLINE_HOURS: '25' });
    expect(message).toContain('UPLOAD_DEADLINE_HOURS');
    expect(problems).toMatchObject([
      { name: 'UPLOAD_DEADLINE_HOURS', expected: 'a whole number from 1 to 24' },
    ]);
  });

  test('are out of it before the bucket empties it, at the longest settings', () => {
    const { lifecycle } = loadConfig({ UPLOAD_DEADLINE_HOURS: '24', QUARANTINE_AFTER_HOURS: '23' });
    const { enforced } = RETENTION['temporary-objects'];
    const lastResortDays = enforced.by === 'service' ? (enforced.lastResort?.days ?? 0) : 0;
    expect(lifecycle.pendingSeconds + lifecycle.quarantineAfterSeconds).toBeLessThan(lastResortDays * 86_400);
  });
});
