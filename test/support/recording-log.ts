import type { Log } from '#src/ports/log.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly details: object;
  readonly message: string;
}

/** A log that keeps what it is told. */
export function recordingLog(lines: LogLine[] = []): Log & { readonly lines: LogLine[] } {
  return {
    lines,
    info: (details, message) => void lines.push({ level: 'info', details, message }),
    warn: (details, message) => void lines.push({ level: 'warn', details, message }),
    error: (details, message) => void lines.push({ level: 'error', details, message }),
    child: () => recordingLog(lines),
  };
}
