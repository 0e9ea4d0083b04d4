import { setTimeout as pause } from 'node:timers/promises';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Scanner, ScanResult } from '../../ports/scanner.ts';
import { addressOf, identityOf } from './clamd/address.ts';
import { type Answer, readAnswer } from './clamd/answers.ts';
import { createGate } from './clamd/gate.ts';
import { command, openSession, type Session } from './clamd/session.ts';
import { lengthOf, sendStream } from './clamd/stream.ts';
import { type ClamdVersion, problemOfAge, readVersion } from './clamd/version.ts';
import { chunksOf, withSource } from './source.ts';

export interface ClamdOptions {
  /** `tcp://host:port` or `unix:///path`. */
  readonly url: string;
  /** Connections at one time; further scans wait. No more than clamd's MaxThreads are of use. */
  readonly connections: number;
  /** From the wait for a connection to the verdict, in milliseconds. */
  readonly timeoutMs: number;
  /** The longest file that will be sent; a clamd that takes less is a problem that `ping` names. */
  readonly maxBytes: number;
  readonly signatures: {
    readonly maxAgeDays: number;
    /** Whether a clean verdict by older signatures is none; `ping` names them in any case. */
    readonly refuseOutdated: boolean;
  };
  readonly clock: Clock;
}

/** A clamd that takes a length waits for the bytes; one that does not says so at once. Milliseconds. */
const SIZE_ANSWER_MS = 300;
/** How long its answer about a length is believed: it may be started anew with other settings. Milliseconds. */
const SIZE_KEPT_MS = 600_000;

/**
 * ClamAV's daemon, over INSTREAM: bytes are sent as they come, 64 KiB at a time, and not kept. Each scan has a session of
 * its own, which also asks for the version. Errors: SCANNER_UNAVAILABLE with the reason in `details`; ABORTED by the signal.
 */
export function createClamdScanner(options: ClamdOptions): Scanner {
  const { signatures, clock, maxBytes } = options;
  const address = addressOf(options.url);
  const gate = createGate(options.connections);
  const closing = new AbortController();
  const sizeKnown = { problem: '', until: 0 };

  const inSession = async <T>(
    signal: AbortSignal | undefined,
    work: (session: Session, limited: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const limits = [closing.signal, AbortSignal.timeout(options.timeoutMs)];
    const limited = AbortSignal.any(signal === undefined ? limits : [signal, ...limits]);
    try {
      const leave = await gate.enter(limited);
      try {
        const session = await openSession(address, limited);
        return await work(session, limited).finally(() => session.close());
      } finally {
        leave();
      }
    } catch (error) {
      if (signal?.aborted) throw new StorageError('ABORTED', undefined, { cause: error });
      throw isStorageError(error, 'SCANNER_UNAVAILABLE') ? error : unavailable(reasonOf(error), error);
    }
  };

  /** Whether clamd would take a stream of that length. */
  const takes = (bytes: number, signal: AbortSignal | undefined) =>
    inSession(signal, async (session) => {
      await session.write(command('INSTREAM'), lengthOf(bytes));
      const answer = await Promise.race([session.answer(1), pause(SIZE_ANSWER_MS, null, { ref: false })]);
      return answer === null || readAnswer(answer).kind !== 'too long';
    });

  const problemOfSize = async (signal: AbortSignal | undefined): Promise<string> => {
    const now = clock.now().getTime();
    if (now >= sizeKnown.until) {
      const isEnough = await takes(maxBytes, signal);
      sizeKnown.problem = isEnough ? '' : `its StreamMaxLength is below the ${maxBytes} bytes of a file`;
      sizeKnown.until = now + SIZE_KEPT_MS;
    }
    return sizeKnown.problem;
  };

  const problemOf = (version: ClamdVersion) => problemOfAge(version, signatures.maxAgeDays, clock.now());

  return {
    name: 'clamd',
    identity: identityOf(options.url),
    scan: (body, signal) =>
      withSource(body, async () => {
        let sent = 0;
        const scanned = await inSession(signal, async (session, limited) => {
          await session.write(command('VERSION'), command('INSTREAM'));
          const isWhole = await sendStream(session, chunksOf(body, limited), 2, (bytes) => (sent += bytes));
          const answer = readAnswer(await session.answer(2));
          return { version: await versionOf(session), answer, isWhole };
        }).catch(async (error: unknown) => {
          // A connection that is reset in the middle may take clamd's words about the length with it.
          const isSize = sent > 0 && wasCut(error) && !(await takes(sent, signal).catch(() => true));
          throw isSize ? tooLong(sent) : error;
        });
        const result = resultOf(scanned, sent);
        const age = problemOf(scanned.version);
        if (result.verdict === 'clean' && age !== null && signatures.refuseOutdated) throw unavailable(age);
        return result;
      }),
    async ping(signal) {
      const version = await inSession(signal, async (session) => {
        await session.write(command('VERSION'));
        return versionOf(session);
      });
      const problems = [await problemOfSize(signal), problemOf(version) ?? ''].filter((text) => text !== '');
      return { version: version.text, problem: problems.length === 0 ? null : problems.join('; ') };
    },
    async close() {
      closing.abort(new Error('The scanner is closed'));
    },
  };
}

async function versionOf(session: Session): Promise<ClamdVersion> {
  const version = readVersion(await session.answer(1));
  if (version === null) throw unavailable('its version is not clear');
  return version;
}

interface Scanned {
  readonly version: ClamdVersion;
  readonly answer: Answer;
  /** Whether all bytes were sent before the answer came: a verdict on a part is none. */
  readonly isWhole: boolean;
}

function resultOf({ version, answer, isWhole }: Scanned, sent: number): ScanResult {
  if (answer.kind === 'too long') throw tooLong(sent);
  if (answer.kind === 'limited') throw unavailable(`it stopped at a limit of its own, ${answer.limit}`);
  if (answer.kind === 'unclear' || !isWhole) throw unavailable('its answer is not clear');
  const by = { scanner: 'clamd', version: version.text };
  return answer.kind === 'found'
    ? { ...by, verdict: 'infected', signature: answer.signature }
    : { ...by, verdict: 'clean', signature: null };
}

function tooLong(bytes: number): StorageError {
  return unavailable(`INSTREAM size limit exceeded: its StreamMaxLength is below ${bytes} bytes`);
}

function unavailable(reason: string, cause?: unknown): StorageError {
  return new StorageError('SCANNER_UNAVAILABLE', undefined, {
    details: { reason: `clamd: ${reason}` },
    cause,
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the other side ended the connection. */
function wasCut(error: unknown): boolean {
  return error instanceof Error && /ECONNRESET|EPIPE|closed the connection/.test(reasonOf(error.cause));
}
