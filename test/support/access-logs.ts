import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { TestBucket } from './s3-server.ts';

/** One request in CloudFront's log; what is left out is that of a browser that got a large JPEG from a cache. */
export interface LoggedLine {
  readonly at: Date;
  readonly path: string;
  readonly status?: number;
  readonly method?: string;
  readonly result?: string;
  readonly agent?: string;
  readonly rangeStart?: string;
}

export const BROWSER_AGENT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148 Safari/604.1';
export const CRAWLER_AGENT = 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)';

const NAMES = [
  'date',
  'time',
  'x-edge-location',
  'sc-bytes',
  'cs-method',
  'cs-uri-stem',
  'sc-status',
  'x-edge-result-type',
  'cs(User-Agent)',
  'sc-range-start',
] as const;

/** Bytes of an answer in these logs. */
export const LOGGED_BYTES = 1_000;

function valuesOf(line: LoggedLine): Record<(typeof NAMES)[number], string> {
  const [date = '', time = ''] = line.at.toISOString().split(/[T.]/);
  return {
    date,
    time,
    'x-edge-location': 'FRA60-P3',
    'sc-bytes': String(LOGGED_BYTES),
    'cs-method': line.method ?? 'GET',
    'cs-uri-stem': `/${line.path}`,
    'sc-status': String(line.status ?? 200),
    'x-edge-result-type': line.result ?? 'Hit',
    'cs(User-Agent)': (line.agent ?? BROWSER_AGENT).replaceAll(' ', '%20'),
    'sc-range-start': line.rangeStart ?? '-',
  };
}

/** As standard logging v2 writes JSON. */
export function jsonLog(lines: readonly LoggedLine[]): string {
  return lines.map((line) => `${JSON.stringify(valuesOf(line))}\n`).join('');
}

/** As standard logging (legacy), and v2 as W3C, write it. */
export function w3cLog(lines: readonly LoggedLine[]): string {
  const rows = lines.map((line) => {
    const values = valuesOf(line);
    return `${NAMES.map((name) => values[name]).join('\t')}\n`;
  });
  return `#Version: 1.0\n#Fields: ${NAMES.join(' ')}\n${rows.join('')}`;
}

/** Delivers a file to where the files of a day lie. */
export async function deliverLog(bucket: TestBucket, key: string, text: string | Uint8Array): Promise<void> {
  const Body = typeof text === 'string' ? gzipSync(text) : text;
  await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body }));
}
