import { useEffect, useRef } from 'react';
import { thumbHashToRGBA } from 'thumbhash';

/** A photo's blurred stand-in, painted from the few bytes the API sends with it. */
export function ThumbhashCanvas({ hash, className }: { hash: string; className?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, hash);
  }, [hash]);
  return <canvas ref={canvas} className={className} aria-hidden />;
}

function paint(canvas: HTMLCanvasElement, hash: string): void {
  try {
    const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(hash), (char) => char.charCodeAt(0)));
    canvas.width = w;
    canvas.height = h;
    canvas.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
  } catch {
    // A hash that cannot be read leaves the plain background.
  }
}
