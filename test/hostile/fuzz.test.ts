import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readCorpus } from './fuzz/corpus.ts';
import { engineTarget } from './fuzz/engine-target.ts';
import { makeCase } from './fuzz/mutate.ts';
import { readersTarget } from './fuzz/readers-target.ts';
import { fuzz } from './fuzz/run.ts';
import { serviceTarget } from './fuzz/service-target.ts';
import type { Target } from './fuzz/target.ts';

const FOUND = fileURLToPath(new URL('found', import.meta.url));
/** A minute in total where somebody waits for it; less where a whole run has its time. */
const SECONDS = process.env['CI'] === undefined ? 30 : 15;
/** Of the day, in UTC: others each day, the same for everybody who looks into a failure of today. */
const TODAY = Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''));

const targets = [
  { target: readersTarget(), every: 1 },
  { target: engineTarget(), every: 10 },
  { target: await serviceTarget(), every: 50 },
];
afterAll(async () => {
  for (const { target } of targets) await target.close();
});

test.each([1, TODAY])(
  'mutations of real files, seed %i, are published clean or refused, and nothing dies',
  async (seed) => {
    const report = await fuzz({ seed, seconds: SECONDS, targets });
    const said = report.faults.map(
      ({ index, target, what, fault }) =>
        `npm run fuzz -- --seed ${seed} --case ${index} (${target}, ${what}): ${fault}`,
    );
    expect(said).toEqual([]);
    expect(report.targets['readers']?.outcomes['read']).toBeGreaterThan(10);
    expect(report.targets['engine']?.outcomes['encoded']).toBeGreaterThan(0);
  },
);

test.each(readdirSync(FOUND))('%s, found once, does no harm any more', async (name) => {
  const bytes = readFileSync(`${FOUND}/${name}`);
  for (const { target } of targets)
    expect(await target.take(bytes), target.name).toEqual({ outcome: expect.any(String) });
});

test('a case is the same for the same seed and number, and another for another', async () => {
  const corpus = await readCorpus();
  expect(makeCase(corpus, 3, 14)).toEqual(makeCase(corpus, 3, 14));
  expect(makeCase(corpus, 3, 14).bytes.equals(makeCase(corpus, 3, 15).bytes)).toBe(false);
});

test('what a target calls a fault is reported with its case', async () => {
  const broken: Target = {
    name: 'broken',
    take: (bytes) => Promise.resolve(bytes.length % 2 === 0 ? { fault: 'even' } : { outcome: 'odd' }),
    close: () => Promise.resolve(),
  };
  const { faults } = await fuzz({ seed: 5, seconds: 1, targets: [{ target: broken, every: 1 }] });
  const [first] = faults;
  if (first === undefined) throw new Error('Expected a fault');
  expect(makeCase(await readCorpus(), first.seed, first.index)).toEqual({
    what: first.what,
    bytes: first.bytes,
  });
});
