import type { Region } from '../domain/finding.ts';

/** A piece of text in a photo, as far as it could be read. */
export interface TextLine {
  readonly text: string;
  /** 0–1 */
  readonly confidence: number;
  readonly region: Region;
}

/** A QR code, barcode or the like. */
export interface PrintedCode {
  /** As zxing names it: QRCode, EAN13 … */
  readonly format: string;
  readonly text: string;
  readonly region: Region;
}

export interface PhotoText {
  readonly lines: readonly TextLine[];
  readonly codes: readonly PrintedCode[];
  /** Of the models and libraries that read it. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Reads what is written in photos. Takes most of a second and hundreds of megabytes: nothing waits for it. */
export interface TextReader {
  /**
   * Reads one of our own renditions; others wait their turn. IMAGE_PROCESS_FAILED (retryable) when its process crashed,
   * hung, took too much memory or answered nonsense; ABORTED after the signal; INVALID_IMAGE.
   */
  read(bytes: Uint8Array, signal?: AbortSignal): Promise<PhotoText>;
  close(): Promise<void>;
}
