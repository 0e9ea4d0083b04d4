import { Button } from '@mantine/core';
import { IconDownload, IconShieldCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { asApiError } from '../api/api-error.ts';
import { downloadReceipt, getReceipt } from '../api/endpoints.ts';
import type { Photo, Receipt } from '../api/schemas.ts';
import { showToast } from '../app/toast-store.ts';
import { adviceFor } from '../upload/advice.ts';
import { Dialog } from './Dialog.tsx';
import { ErrorNotice } from './Notices.tsx';
import { removedSentence, removedWords } from './removed-words.ts';

/** What was removed from a photo, and the receipt to keep. */
export function PrivacyDialog({ photo, onClose }: { photo: Photo; onClose: () => void }) {
  const receipt = useQuery({
    queryKey: ['receipt', photo.id, photo.state],
    queryFn: ({ signal }) => getReceipt(photo.id, signal),
  });
  const save = async (format: 'json' | 'text') => {
    try {
      await downloadReceipt(photo.id, format);
    } catch (error) {
      showToast(`The receipt was not saved. ${adviceFor(asApiError(error).code).what}`, { tone: 'bad' });
    }
  };
  return (
    <Dialog label="Privacy of this photo" onClose={onClose}>
      <div className="dialog__body privacy">
        <h2>
          <IconShieldCheck size={24} aria-hidden /> Privacy
        </h2>
        {receipt.isPending && <p className="soft">Looking it up …</p>}
        {receipt.isError && <ErrorNotice error={receipt.error} onRetry={() => void receipt.refetch()} />}
        {receipt.data && <Found receipt={receipt.data} />}
        <div className="row row--end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            disabled={!receipt.data}
            onClick={() => void save('json')}
          >
            Data (JSON)
          </Button>
          <Button
            leftSection={<IconDownload size={18} aria-hidden />}
            disabled={!receipt.data}
            onClick={() => void save('text')}
          >
            Download receipt
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Found({ receipt: { statement } }: { receipt: Receipt }) {
  const words = removedWords(statement.removed);
  const files = statement.outputs.length;
  const isClean = files > 0 && statement.outputs.every(({ clean }) => clean);
  return (
    <>
      <p>{removedSentence(statement.removed, statement.outputs)}</p>
      {words.length > 2 && (
        <ul className="privacy__list" aria-label="What was removed">
          {words.map((word) => (
            <li key={word} className="chip">
              {word}
            </li>
          ))}
        </ul>
      )}
      {isClean && (
        <p className="soft small">
          {files === 1 ? 'The file' : `All ${files} files`} made of your photo {files === 1 ? 'was' : 'were'}{' '}
          read again: there is only the picture in {files === 1 ? 'it' : 'them'}. The receipt names each with
          its checksum, and never says what the removed data was.
        </p>
      )}
    </>
  );
}
