import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { isReasonCode, REASON_CODES, REVIEW_REASONS } from '../../../src/domain/review-reasons.ts';
import { asApiError } from '../api/api-error.ts';
import { reportPhoto } from '../api/review.ts';
import type { Photo } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { Dialog } from './Dialog.tsx';

interface ReportDialogProps {
  readonly photos: readonly Photo[];
  readonly onClose: () => void;
}

/** A buyer says which photo of a listing is wrong, and what is wrong with it. */
export function ReportDialog({ photos, onClose }: ReportDialogProps) {
  const [photoId, setPhotoId] = useState(photos[0]?.id ?? '');
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const needsText = isReasonCode(reason) && REVIEW_REASONS[reason].needsText;
  const send = async () => {
    if (!isReasonCode(reason)) return;
    setSending(true);
    try {
      await reportPhoto(photoId, reason, message.trim());
      showToast('Thank you. A person will have a look.');
      onClose();
    } catch (error) {
      const { code } = asApiError(error);
      setProblem(
        code === 'RATE_LIMITED' ? 'You have reported many photos. Go on in an hour.' : adviceFor(code).what,
      );
      setSending(false);
    }
  };
  return (
    <Dialog label="Report a photo" onClose={onClose}>
      <form
        className="dialog__body"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2>Report a photo</h2>
        <p className="soft">The seller does not learn who you are.</p>
        {photos.length > 1 && (
          <label className="report__field">
            Which photo?
            <select value={photoId} onChange={({ currentTarget }) => setPhotoId(currentTarget.value)}>
              {photos.map((photo, index) => (
                <option key={photo.id} value={photo.id}>
                  {`Photo ${index + 1}${photo.alt === null ? '' : `: ${photo.alt}`}`}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="report__field">
          What is wrong?
          <select required value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)}>
            <option value="">Choose</option>
            {REASON_CODES.map((code) => (
              <option key={code} value={code}>
                {REVIEW_REASONS[code].title}
              </option>
            ))}
          </select>
        </label>
        <Textarea
          label={needsText ? 'In a few words' : 'In a few words, if you like'}
          rows={3}
          maxLength={500}
          required={needsText}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
          error={problem}
        />
        <div className="row row--end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" variant="light" loading={isSending}>
            Send report
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
