import { Agent, request } from 'node:http';
import { z } from 'zod';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const tokenAnswer = z.object({ token: z.string() });

/** One request with a body that is in memory already, so that the client costs little. */
export function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request(
      url,
      { method, agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        res.on('error', reject);
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

export async function token(url: string, sub: string, role = 'seller'): Promise<string> {
  const answer = await send(
    'POST',
    `${url}/dev/token`,
    { 'content-type': 'application/json' },
    JSON.stringify({ sub, roles: [role] }),
  );
  return tokenAnswer.parse(JSON.parse(answer.body)).token;
}

/** A seller of their own with one listing. */
export async function seller(url: string, name: string): Promise<{ authorization: string; itemId: string }> {
  const authorization = `Bearer ${await token(url, name)}`;
  const itemId = `item-${name}`;
  await send(
    'POST',
    `${url}/v1/items`,
    { authorization, 'content-type': 'application/json' },
    JSON.stringify({ id: itemId, title: name }),
  );
  return { authorization, itemId };
}

const BOUNDARY = 'localex-bench-boundary';

/** A photo as a browser's form would send it. */
export function formOf(photo: Uint8Array): { contentType: string; body: Buffer } {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="photo.jpg"\r\ncontent-type: image/jpeg\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body: Buffer.concat([Buffer.from(head), photo, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]),
  };
}

/** Runs `task` for 0…count−1, at most `inFlight` at a time. */
export async function inParallel(
  count: number,
  inFlight: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, inFlight) }, lane));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `name key=value …` on one line. */
export function print(name: string, figures: Readonly<Record<string, number | string>>): void {
  const shown = Object.entries(figures).map(
    ([key, value]) => `${key}=${typeof value === 'number' ? round(value) : value}`,
  );
  process.stdout.write(`${name} ${shown.join(' ')}\n`);
}

function round(value: number): string {
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : value.toFixed(2);
}
