import { Readable } from 'node:stream';

/**
 * A stream that pulls its bytes from a generator. Unlike `Readable.from` it can be destroyed while the generator
 * waits for a source that has stalled: `letGo` is called first, to destroy that source. It is called at every end.
 */
export function pulledFrom(generator: AsyncGenerator<Uint8Array>, letGo: () => void): Readable {
  const pull = async (stream: Readable): Promise<void> => {
    try {
      const { done, value } = await generator.next();
      stream.push(done ? null : value);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const finish = async (): Promise<void> => {
    try {
      await generator.return(undefined);
    } catch {
      // The source's own clean-up failed; whoever destroyed the stream has been told why already.
    }
  };
  return new Readable({
    read() {
      void pull(this);
    },
    destroy(error, done) {
      letGo();
      void finish();
      done(error);
    },
  });
}
