import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { asApiError } from '../api/api-error.ts';
import { adviceFor } from '../upload/advice.ts';
import { Dialog } from './Dialog.tsx';

interface DescribeDialogProps {
  readonly title: string;
  readonly label: string;
  readonly hint: string;
  readonly initial: string;
  readonly action: string;
  readonly maxLength: number;
  readonly onSave: (text: string) => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks for one short text. */
export function DescribeDialog(props: DescribeDialogProps) {
  const [text, setText] = useState(props.initial);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      await props.onSave(text.trim());
      props.onClose();
    } catch (error) {
      const advice = adviceFor(asApiError(error).code);
      setProblem(`${advice.what} ${advice.next}`);
      setSaving(false);
    }
  };
  return (
    <Dialog label={props.title} onClose={props.onClose}>
      <form
        className="dialog__body"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <h2>{props.title}</h2>
        <Textarea
          label={props.label}
          description={props.hint}
          size="md"
          rows={3}
          maxLength={props.maxLength}
          autoFocus
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={problem}
        />
        <div className="row row--end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSaving}>
            {props.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
