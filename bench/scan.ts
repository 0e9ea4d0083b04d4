import { readFile } from 'node:fs/promises';
import { createBasicScanner } from '#src/adapters/scanner/basic.ts';
import { createClamdScanner } from '#src/adapters/scanner/clamd.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { Scanner } from '#src/ports/scanner.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { photoPath } from '#test/support/photos.ts';
import { median, print } from './support/client.ts';

/**
 * What a scan costs: of a 12-megapixel photo, a small one and ten megabytes of nothing, one after another and four at a time,
 * by the basic scanner and by the clamd that TEST_CLAMD_URL and TEST_CLAMD_SOCKET name
 * (`eval "$(test/services/clamd.sh start DIR)"`). CPU is that of this process. `node bench/scan.ts [rounds]`
 */
const [rounds = 30] = process.argv.slice(2).map(Number);
const bodies = {
  large_photo: await largePhoto(),
  small_photo: await readFile(photoPath('waterfall.jpg')),
  ten_megabytes: Buffer.alloc(10_000_000, 7),
};

const scanners: Record<string, Scanner> = { basic: createBasicScanner() };
for (const [name, url] of Object.entries({
  'clamd over TCP': process.env['TEST_CLAMD_URL'],
  'clamd over a unix socket': process.env['TEST_CLAMD_SOCKET'],
}))
  if (url !== undefined) scanners[name] = clamd(url);
  else console.log(`${name}: left out, no server is named`);

for (const [product, scanner] of Object.entries(scanners)) {
  const { version } = await scanner.ping();
  console.log(`${product}: ${version}`);
  for (const [name, body] of Object.entries(bodies)) {
    await scanner.scan(body);
    const alone: number[] = [];
    const cpu = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) alone.push(await msOf(() => scanner.scan(body)));
    const { user, system } = process.cpuUsage(cpu);
    const together = await msOf(() => Promise.all(Array.from({ length: rounds }, () => scanner.scan(body))));
    print(`scan-${product.replaceAll(' ', '-')}-${name}`, {
      bytes: body.length,
      median_ms: median(alone),
      mb_per_s: body.length / 1000 / median(alone),
      cpu_ms: (user + system) / 1000 / rounds,
      four_at_once_mb_per_s: (body.length * rounds) / 1000 / together,
    });
  }
  await scanner.close();
}

function clamd(url: string): Scanner {
  return createClamdScanner({
    url,
    connections: 4,
    timeoutMs: 30_000,
    maxBytes: 10 * 1024 * 1024,
    signatures: { maxAgeDays: 7, refuseOutdated: false },
    clock: systemClock,
  });
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
