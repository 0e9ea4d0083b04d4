import { useEffect, useRef } from 'react';
import type { ReviewEntry } from '../api/review.ts';
import { ThumbhashCanvas } from '../components/ThumbhashCanvas.tsx';
import { SOURCE_WORDS } from './words.ts';

interface ReviewListProps {
  readonly entries: readonly ReviewEntry[];
  readonly current: string;
  readonly selected: ReadonlySet<string>;
  readonly onChoose: (id: string) => void;
  readonly onSelect: (id: string) => void;
}

/** What is on the desk, the most urgent first. Small pictures stay blurred until they are opened. */
export function ReviewList({ entries, current, selected, onChoose, onSelect }: ReviewListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current
      ?.querySelector('[aria-current="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <ul className="review__list" ref={list} aria-label="Waiting photos">
      {entries.map((entry) => {
        const { id, placeholder } = entry.photo;
        const title = entry.item?.title ?? 'Profile photo';
        return (
          <li key={id} className="review__one" data-current={id === current}>
            <input
              type="checkbox"
              aria-label={`Select ${title}`}
              checked={selected.has(id)}
              onChange={() => onSelect(id)}
            />
            <button type="button" aria-current={id === current} onClick={() => onChoose(id)}>
              <span className="review__thumb">{placeholder && <ThumbhashCanvas hash={placeholder} />}</span>
              <span className="review__words">
                <span className="review__title">{title}</span>
                <span className="soft small">{SOURCE_WORDS[entry.source]}</span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
