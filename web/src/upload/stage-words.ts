import type { FileState, Stage } from '../../../src/domain/file-state.ts';

/** What the service is doing with a photo, in plain words. */
export function stageWords(state: FileState, stage: Stage | null): string {
  if (state === 'pending') return 'Waiting for the file';
  if (state === 'in_review') return 'A person is having a look';
  if (state === 'published') return 'Making smaller sizes';
  if (state === 'ready') return 'Ready';
  if (state === 'rejected' || state === 'taken_down' || state === 'failed') return 'Not added';
  return stage === null ? 'In the queue' : STAGE_WORDS[stage];
}

const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  uploading: 'Arriving',
  inspect: 'Looking at the file',
  scan: 'Scanning for viruses',
  decode: 'Opening the photo',
  moderate: 'Checking the content',
  publish: 'Removing private data',
  derive: 'Making smaller sizes',
  verify: 'Checking the result',
  finish: 'Nearly done',
};

/** How far a photo is after its bytes have arrived, 0 to 1: for a bar, not a promise. */
export function stageProgress(stage: Stage | null): number {
  if (stage === null) return 0.05;
  const order: readonly Stage[] = Object.keys(STAGE_WORDS).filter(
    (name): name is Stage => name in STAGE_WORDS,
  );
  return (order.indexOf(stage) + 1) / (order.length + 1);
}

const WARNING_WORDS: Readonly<Record<string, string>> = {
  ANIMATION_DROPPED: 'Only the first picture of the animation is shown.',
  BLURRY: 'This photo looks blurred. Hold the phone still, tap on the thing to focus, and take it again.',
  DARK: 'This photo is quite dark. Take it again by a window, or switch on a lamp.',
  TINY: 'This photo is small and will look coarse. Take it again, or send the full size from your phone.',
  SCREENSHOT: 'This looks like a screenshot. A photo of the thing itself sells better.',
  DUPLICATE_IN_LISTING: 'This photo is almost the same as another one here. Show another side instead.',
  DAMAGED: 'A part of this photo was lost on our side. Please upload it again.',
  VERY_SMALL: 'This photo is very small and may look blurred.',
};

/** Sentences for warnings that have one; of two on the same matter the one that says what to do. */
export function warningNotes(codes: readonly string[]): readonly string[] {
  return codes
    .filter((code) => !(code === 'VERY_SMALL' && codes.includes('TINY')))
    .flatMap((code) => WARNING_WORDS[code] ?? []);
}
