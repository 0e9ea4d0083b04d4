import { REVIEW_REASONS, type ReasonCode } from '../../../src/domain/review-reasons.ts';
import { REASON_KEYS } from './words.ts';

/** The reasons, each with its key: choosing one refuses the photo. */
export function ReasonList({ onChoose }: { onChoose: (code: ReasonCode) => void }) {
  return (
    <ul className="review__reasons" aria-label="Refuse, because of">
      {[...REASON_KEYS].map(([key, code]) => (
        <li key={code}>
          <button type="button" aria-keyshortcuts={key} onClick={() => onChoose(code)}>
            <kbd>{key.toUpperCase()}</kbd>
            {REVIEW_REASONS[code].title}
          </button>
        </li>
      ))}
    </ul>
  );
}
