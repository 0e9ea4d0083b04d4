import { useEffect, useState } from 'react';

/** A URL that shows a chosen file at once, or null where the browser cannot show it (HEIC, files that are no photos). */
export function usePreview(file: File | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (file === null || !isShowable(file)) return;
    const made = URL.createObjectURL(file);
    const probe = new Image();
    const controller = new AbortController();
    probe.addEventListener('load', () => setUrl(made), { signal: controller.signal });
    probe.src = made;
    return () => {
      controller.abort();
      setUrl(null);
      URL.revokeObjectURL(made);
    };
  }, [file]);
  return url;
}

function isShowable(file: File): boolean {
  return ['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif'].includes(file.type);
}
