import { describe, expect, test } from 'vitest';
import {
  canTransition,
  FILE_STATES,
  type FileState,
  holdsPlace,
  isPublic,
  isSettled,
  isUnfinished,
  TRANSITIONS,
} from '#src/domain/file-state.ts';

/** States that can be reached, never passing through those left out. */
function reachable(from: FileState, without: readonly FileState[] = []): Set<FileState> {
  const seen = new Set<FileState>();
  const waiting = [...TRANSITIONS[from]];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    if (seen.has(state) || without.includes(state)) continue;
    seen.add(state);
    waiting.push(...TRANSITIONS[state]);
  }
  return seen;
}

describe('the transition table', () => {
  test('leads from pending to every other state, and from every state to its end', () => {
    expect(reachable('pending')).toEqual(new Set(FILE_STATES.filter((state) => state !== 'pending')));
    for (const state of FILE_STATES.filter((known) => known !== 'deleted'))
      expect(reachable(state).has('deleted'), state).toBe(true);
    expect(TRANSITIONS.deleted).toEqual([]);
  });

  test.each(['rejected', 'taken_down', 'in_review'] as const)(
    'nothing becomes public again from %s but through a person',
    (state) => {
      const unseen =
        state === 'in_review' ? reachable(state, ['published']) : reachable(state, ['in_review']);
      expect([...unseen].filter(isPublic)).toEqual([]);
    },
  );

  test.each(['failed', 'deleting', 'deleted'] as const)('nothing becomes public from %s at all', (state) => {
    expect([...reachable(state)].filter(isPublic)).toEqual([]);
  });

  test('nothing becomes public that was not being checked before', () => {
    expect([...reachable('pending', ['checking'])].filter(isPublic)).toEqual([]);
  });

  test('nothing on its way out comes back', () => {
    expect(reachable('deleting')).toEqual(new Set(['deleted']));
  });

  test('every unfinished state can end as failed, and none waits for ever', () => {
    for (const state of FILE_STATES.filter(isUnfinished)) expect(TRANSITIONS[state]).toContain('failed');
  });

  test('a file may be deleted in every state but when it is being deleted', () => {
    for (const state of FILE_STATES)
      expect(canTransition(state, 'deleting'), state).toBe(state !== 'deleting' && state !== 'deleted');
  });
});

test('what a state means', () => {
  const table = FILE_STATES.map((state) => [
    state,
    isPublic(state),
    isUnfinished(state),
    holdsPlace(state),
    isSettled(state),
  ]);
  expect(table).toEqual([
    // state, public, unfinished, has a place, is settled
    ['pending', false, true, true, false],
    ['received', false, true, true, false],
    ['checking', false, true, true, false],
    ['published', true, true, true, false],
    ['ready', true, false, true, true],
    ['in_review', false, false, true, true],
    ['rejected', false, false, false, true],
    ['taken_down', false, false, false, true],
    ['failed', false, false, false, true],
    ['deleting', false, false, false, false],
    ['deleted', false, false, false, true],
  ]);
});
