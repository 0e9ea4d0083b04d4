import { useEffect, useState } from 'react';
import type { CaseSource, MatchOutcome } from '../../../src/domain/review-case.ts';
import { REVIEW_REASONS, type ReasonCode } from '../../../src/domain/review-reasons.ts';
import type { Decision, ReviewEntry } from '../api/review.ts';
import { type BlurSetting, keepBlur, readBlur } from './blur-setting.ts';
import { isCalledCopy, othersOf, type Outcomes } from './MatchPair.tsx';
import { urlOf } from './ReviewPicture.tsx';
import { useDesk } from './use-desk.ts';
import { isDisturbing, refusalOf } from './words.ts';

/** Photos that are fetched before they are looked at. */
const PRELOADED = 3;

/** What is open about the photo at hand; all of it ends with the photo. */
interface Open {
  readonly asking: ReasonCode | 'text' | null;
  readonly outcomes: Outcomes;
  /** Which of the photos that it looks like is beside it. */
  readonly shown: number;
  readonly isUnveiled: boolean;
}
const CLOSED: Open = { asking: null, outcomes: new Map(), shown: 0, isUnveiled: false };

/** Everything the review page shows and does, whether by key or by pointer. */
export function useReview() {
  const { desk, view } = useDesk();
  const [chosen, setChosen] = useState<string | null>(null);
  const [open, setOpen] = useState<Open>(CLOSED);
  const [isHistoryOpen, setHistoryOpen] = useState(false);
  const [blur, setBlur] = useState(readBlur);
  const [source, setSource] = useState<CaseSource | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [said, setSaid] = useState('');
  const { entries } = view;
  const found = entries.findIndex((entry) => entry.photo.id === chosen);
  const index = Math.max(0, found);
  const entry = entries[index];
  usePreloaded(entries.slice(index + 1, index + 1 + PRELOADED));

  const go = (id: string | null) => {
    setChosen(id);
    setOpen(CLOSED);
  };
  const settle = (decision: Decision, word: string) => {
    if (entry === undefined) return;
    const matches = [...open.outcomes].map(([fileId, outcome]) => ({ fileId, outcome }));
    go(entries[index + 1]?.photo.id ?? entries[index - 1]?.photo.id ?? null);
    setSelected((before) => new Set([...before].filter((id) => id !== entry.photo.id)));
    setSaid(word);
    desk.decide(entry.photo.id, { ...decision, ...(matches.length > 0 && { matches }) });
  };
  const approve = () =>
    isCalledCopy(open.outcomes)
      ? setSaid('You call it a copy: reject it, or say what else the two are.')
      : settle({ decision: 'approve' }, 'Approved.');
  const refuse = (code: ReasonCode | null, text: string) => {
    if (entry === undefined) return;
    if (code !== null && REVIEW_REASONS[code].needsText && text === '') {
      setOpen({ ...open, asking: code });
      return;
    }
    const why = { ...(code !== null && { reasonCode: code }), ...(text !== '' && { reason: text }) };
    settle(
      { decision: refusalOf(entry), ...why },
      code === null ? 'Refused.' : `${REVIEW_REASONS[code].title}.`,
    );
  };
  return {
    desk,
    view,
    entry,
    open,
    isHistoryOpen,
    blur,
    source,
    selected,
    said,
    isVeiled: entry !== undefined && !open.isUnveiled && isBlurred(blur, entry),
    approve,
    refuse,
    choose: go,
    step: (by: number) =>
      go(entries[Math.max(0, Math.min(index + by, entries.length - 1))]?.photo.id ?? null),
    ask: (asking: Open['asking']) => setOpen({ ...open, asking }),
    compare: (fileId: string, outcome: MatchOutcome) =>
      setOpen({ ...open, outcomes: new Map(open.outcomes).set(fileId, outcome) }),
    /** Shows another of the photos that it looks like; after the last one the first. */
    showOther: (wanted: number) => {
      const others = entry === undefined ? 0 : othersOf(entry).length;
      if (others > 0) setOpen({ ...open, shown: wanted % others });
    },
    unveil: () => setOpen({ ...open, isUnveiled: !open.isUnveiled }),
    toggleHistory: () => setHistoryOpen(!isHistoryOpen),
    undo: () => {
      const id = desk.undo();
      if (id === null) return;
      go(id);
      setSaid('Taken back.');
    },
    select: (id: string) =>
      setSelected((before) =>
        before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id]),
      ),
    clearSelection: () => setSelected(new Set()),
    settled: (ids: readonly string[]) => {
      setSelected((before) => new Set([...before].filter((id) => !ids.includes(id))));
      desk.drop(ids);
    },
    show: (wanted: CaseSource | null) => {
      setSource(wanted);
      setSelected(new Set());
      void desk.filter(wanted);
    },
    changeBlur: (setting: BlurSetting) => {
      keepBlur(setting);
      setBlur(setting);
    },
  };
}

export type Review = ReturnType<typeof useReview>;

function isBlurred(setting: BlurSetting, entry: ReviewEntry): boolean {
  return setting === 'always' || (setting === 'disturbing' && isDisturbing(entry));
}

function usePreloaded(entries: readonly ReviewEntry[]): void {
  const urls = entries.flatMap((entry) => urlOf(entry) ?? []).join(' ');
  useEffect(() => {
    const images = urls.split(' ').map((url) => Object.assign(new Image(), { src: url }));
    return () => images.splice(0).forEach((image) => image.removeAttribute('src'));
  }, [urls]);
}
