import type { Readable } from 'node:stream';

/**
 * The chunks of a stream, each as it came. Node's own iteration joins what has been buffered meanwhile, which copies nearly
 * every byte of a fast source. As there, leaving the loop destroys the stream. Errors: the stream's own, or that it was
 * closed before its end.
 */
export async function* chunksOf(source: Readable): AsyncGenerator {
  const arrived: unknown[] = [];
  let failure: Error | null = source.errored;
  let isOver = source.readableEnded;
  let wake = (): void => {};
  const onData = (chunk: unknown) => {
    arrived.push(chunk);
    source.pause();
    wake();
  };
  const onError = (error: Error) => {
    failure = error;
    wake();
  };
  const onEnd = () => {
    isOver = true;
    wake();
  };
  const onClose = () => {
    if (!isOver) failure ??= new Error('The stream was closed before its end.');
    wake();
  };
  source.pause();
  source.on('data', onData).on('error', onError).on('end', onEnd).on('close', onClose);
  if (source.closed) onClose();
  try {
    for (;;) {
      if (arrived.length > 0) {
        yield arrived.shift();
        continue;
      }
      if (failure !== null) throw failure;
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        source.resume();
      });
    }
  } finally {
    source.off('data', onData).off('end', onEnd).off('close', onClose);
    // What it still says while it is destroyed has nobody to be told to.
    source.destroy();
  }
}
