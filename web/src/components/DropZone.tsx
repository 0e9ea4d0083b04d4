import './drop-zone.css';
import { Button } from '@mantine/core';
import { IconCamera, IconPhotoUp } from '@tabler/icons-react';
import { type ChangeEvent, useEffect, useEffectEvent, useRef, useState } from 'react';

const ACCEPT = 'image/jpeg,image/png,image/webp,image/heic,image/heif,image/avif,.heic,.heif';

/** Takes photos by dropping them anywhere on the page, by pasting, from files or from the camera. */
export function DropZone({
  onFiles,
  isFirst,
}: {
  onFiles: (files: readonly File[]) => void;
  isFirst: boolean;
}) {
  const [isOver, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const take = useEffectEvent((list: FileList | undefined) => {
    if (list && list.length > 0) onFiles([...list]);
  });

  useEffect(() => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    addEventListener(
      'dragover',
      (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        setOver(true);
      },
      options,
    );
    addEventListener('dragleave', (event) => event.relatedTarget === null && setOver(false), options);
    addEventListener(
      'drop',
      (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      },
      options,
    );
    addEventListener('paste', (event) => take(event.clipboardData?.files), options);
    return () => controller.abort();
  }, []);

  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    take(event.currentTarget.files ?? undefined);
    // So that choosing the same file again is a change again.
    event.currentTarget.value = '';
  };
  return (
    <section className={`drop ${isFirst ? 'drop--first' : ''}`} data-over={isOver} aria-label="Add photos">
      <span className="drop__icon">
        <IconPhotoUp size={isFirst ? 34 : 26} stroke={1.4} aria-hidden />
      </span>
      <div className="drop__words">
        <strong className="drop__mouse">
          {isOver ? 'Let go to add them' : 'Drop photos here, or paste them'}
        </strong>
        <strong className="drop__touch">Add photos</strong>
        <p className="soft small">
          JPEG, PNG, WebP, HEIC or AVIF. Large ones are made smaller for you. Where they were taken is
          removed.
        </p>
      </div>
      <div className="row">
        <Button onClick={() => picker.current?.click()}>Choose photos</Button>
        <Button
          className="drop__camera"
          variant="default"
          leftSection={<IconCamera size={18} aria-hidden />}
          onClick={() => camera.current?.click()}
        >
          Take a photo
        </Button>
      </div>
      <input
        ref={picker}
        type="file"
        accept={ACCEPT}
        multiple
        hidden
        onChange={onChange}
        aria-label="Choose photos"
      />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={onChange}
        aria-label="Take a photo"
      />
    </section>
  );
}
