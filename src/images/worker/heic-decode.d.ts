declare module 'heic-decode' {
  interface HeifImage {
    /** Upright. */
    readonly width: number;
    readonly height: number;
    decode(): Promise<{ readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }>;
  }
  interface HeifImages extends ReadonlyArray<HeifImage> {
    dispose(): void;
  }
  const heicDecode: { all(options: { buffer: Uint8Array }): Promise<HeifImages> };
  export default heicDecode;
}
