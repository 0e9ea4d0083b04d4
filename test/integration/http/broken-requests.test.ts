import { createConnection } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Problem } from '#src/http/schemas.ts';
import { startHttp, type TestService } from './http-service.ts';

let service: TestService;
beforeAll(async () => {
  const limits = { maxFileSize: 1000, concurrentUploads: 1, bodyTimeoutMs: 200 };
  service = await startHttp({ limits });
});
afterAll(() => service.close());

test.each([
  ['is no HTTP', 'hello\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['has endless headers', `GET / HTTP/1.1\r\nx: ${'y'.repeat(50_000)}`, 431, 'INVALID_REQUEST'],
  ['never ends', 'GET / HTTP/1.1\r\nhost: localhost\r\n', 408, 'DEADLINE_EXCEEDED'],
])('what %s is answered with a whole problem document', async (_name, sent, status, code) => {
  const { head, body } = await send(sent);
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain('Content-Type: application/problem+json');
  const problem = Problem.strict().parse(JSON.parse(body));
  expect(problem).toMatchObject({ status, code });
  expect(problem.instance).toBe(`urn:request:${/X-Request-Id: (\S+)/.exec(head)?.[1]}`);
});

async function send(text: string): Promise<{ head: string; body: string }> {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = createConnection(Number(new URL(service.url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    socket.write(text);
  });
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { head, body };
}
