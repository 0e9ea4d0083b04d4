import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { REVIEW_REASONS, type ReasonCode } from '../../../src/domain/review-reasons.ts';

interface ReasonFormProps {
  /** Of the list; null when words alone are to say why. */
  readonly code: ReasonCode | null;
  readonly action: string;
  readonly onCancel: () => void;
  readonly onRefuse: (text: string) => void;
}

/** Asks for words: where a reason needs them, or a moderator has some to add. */
export function ReasonForm({ code, action, onCancel, onRefuse }: ReasonFormProps) {
  const [text, setText] = useState('');
  const needsText = code === null || REVIEW_REASONS[code].needsText;
  return (
    <form
      className="review__reject"
      onKeyDown={(event) => event.key === 'Escape' && onCancel()}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '' || !needsText) onRefuse(text.trim());
      }}
    >
      {code !== null && <p>{REVIEW_REASONS[code].message}</p>}
      <Textarea
        label="Why? The seller reads this."
        rows={3}
        maxLength={300}
        required={needsText}
        autoFocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
      />
      <div className="row">
        <Button type="submit" color="red" variant="light">
          {action}
        </Button>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
