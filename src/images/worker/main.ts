import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { WorkerCommand, WorkerReply, WorkerRequest, WorkerSettings } from '../protocol.ts';
import { analyse, fingerprint } from './analyse.ts';
import { coach } from './coach.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { type Picture, pictureOf } from './picture.ts';
import { restrictLoaders } from './sharp.ts';

/** The image process: one picture at a time, commands by message, no other way in. Ends with its parent. */
const settings = readSettings(process.argv[2]);
restrictLoaders(settings.formats);
let picture: Picture | null = null;

process.on('message', (message: WorkerRequest) => {
  void run(message.command).then(
    (result) => send({ id: message.id, result }),
    (error: unknown) => send({ id: message.id, ...explain(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run(command: WorkerCommand): Promise<unknown> {
  switch (command.op) {
    case 'open': {
      const { raster, ...opened } = await decode(command.bytes, settings);
      picture = pictureOf(raster);
      return { ...opened, width: raster.width, height: raster.height, hasAlpha: raster.channels === 4 };
    }
    case 'encode':
      return encode(held(), command.variant, settings.encoder);
    case 'analyse':
      return analyse(held());
    case 'fingerprint':
      return fingerprint(held());
    case 'coach':
      return coach(held());
    case 'close':
      picture = null;
      return null;
  }
}

function held(): Picture {
  if (picture === null) throw new StorageError('INTERNAL');
  return picture;
}

function explain(error: unknown): { code: StorageError['code']; message: string } {
  if (isStorageError(error)) return { code: error.code, message: error.message };
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { code: 'IMAGE_PROCESS_FAILED', message: 'The image process failed.' };
}

function send(reply: WorkerReply): void {
  process.send?.(reply);
}

/** The parent is the one writer of this text. */
function readSettings(text: string | undefined): WorkerSettings {
  const value: WorkerSettings = JSON.parse(text ?? '{}');
  return value;
}
