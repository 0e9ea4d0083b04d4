// Gives mutations of real files to our readers, the image engine and, one in fifty, the started service, for as long as asked.
// `npm run fuzz -- --seconds 300 --seed 7`; `--case N` gives one case of the seed to all of them, to see a fault again.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readCorpus } from '#test/hostile/fuzz/corpus.ts';
import { engineTarget } from '#test/hostile/fuzz/engine-target.ts';
import { makeCase } from '#test/hostile/fuzz/mutate.ts';
import { readersTarget } from '#test/hostile/fuzz/readers-target.ts';
import { fuzz } from '#test/hostile/fuzz/run.ts';
import { serviceTarget } from '#test/hostile/fuzz/service-target.ts';

const FOLDER = 'test-results/fuzz';
const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1e9);
const targets = [
  { target: readersTarget(), every: 1 },
  { target: engineTarget(), every: 10 },
  { target: await serviceTarget(), every: 50 },
];
mkdirSync(FOLDER, { recursive: true });
console.log(`seed ${seed}`);
if (values.case === undefined) await runFor(Number(values.seconds ?? 60));
else await runOne(Number(values.case));
for (const { target } of targets) await target.close();

async function runFor(seconds: number): Promise<void> {
  const report = await fuzz({
    seed,
    seconds,
    targets,
    onFault({ index, target, what, fault, bytes }) {
      writeFileSync(`${FOLDER}/${seed}-${index}.bin`, bytes);
      console.log(`FAULT in ${target}, --seed ${seed} --case ${index} (${what}): ${fault}`);
    },
  });
  console.log(JSON.stringify(report.targets, null, 2));
  if (report.faults.length > 0) process.exitCode = 1;
}

async function runOne(index: number): Promise<void> {
  const { what, bytes } = makeCase(await readCorpus(), seed, index);
  writeFileSync(`${FOLDER}/${seed}-${index}.bin`, bytes);
  console.log(`${what}, ${bytes.length} bytes, in ${FOLDER}/${seed}-${index}.bin`);
  for (const { target } of targets) console.log(target.name, await target.take(bytes));
}
