import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createLocalDetector } from '#src/adapters/moderator/local.ts';
import { policyVersion } from '#src/domain/moderation-policy.ts';
import { readModelVersions } from '#src/images/model-files.ts';
import type { ModerationResult } from '#src/ports/moderator.ts';
import { judge } from '#src/services/moderation/moderator.ts';
import { ModerationPolicySchema } from '#src/services/moderation/policy-schema.ts';
import { photoPath } from '#test/support/photos.ts';
import { benchEngine } from './support/engine.ts';
import { processTree } from './support/processes.ts';

/**
 * What the local models and the shipped policy make of folders of photos: of ordinary ones every photo that is not published
 * is an error, of a folder of one kind every photo that is. Run: `node bench/moderation.ts [FOLDER …]`, by default the
 * fixtures; one line a figure. `docs/storage/safety.md` says which folders were measured, and where they are from.
 */
const folders = process.argv.slice(2);
if (folders.length === 0) folders.push(path.dirname(photoPath('lake.jpg')));

const file = new URL('../policies/moderation.json', import.meta.url);
const policy = ModerationPolicySchema.parse(JSON.parse(await readFile(file, 'utf8')));
const detector = createLocalDetector({ current: await readModelVersions() });
const engine = benchEngine();

for (const folder of folders) await measure(folder);
console.log(`image process peak_rss_mb=${(await childPeakMb()).toFixed(0)}`);
await engine.close();

async function measure(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|heic)$/i.test(name)).toSorted();
  const results: ModerationResult[] = [];
  const times: number[] = [];
  for (const name of names) {
    const image = await engine
      .open(await readFile(path.join(folder, name)), { kind: 'item_photo' })
      .catch(() => null);
    if (image === null) continue;
    const started = performance.now();
    const analysis = await image.analyse();
    const detection = await detector.detect({ image, analysis, category: null });
    times.push(performance.now() - started);
    const by = { policy, version: policyVersion(policy), category: null };
    const result = judge([detector], [detection], by);
    results.push(result);
    await image.close();
    if (result.verdict !== 'publish')
      console.log(
        `${result.verdict} ${name} ${result.labels.map(({ label, confidence }) => `${label}:${confidence.toFixed(2)}`).join(' ')}`,
      );
  }
  report(folder, results, times);
}

function report(folder: string, results: readonly ModerationResult[], times: readonly number[]): void {
  const count = (verdict: string) => results.filter((result) => result.verdict === verdict).length;
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `${path.basename(folder)} photos=${results.length} publish=${count('publish')} review=${count('review')} reject=${count('reject')}`,
  );
  for (const label of new Set(results.flatMap(({ scores }) => scores.map((score) => score.label)))) {
    const scores = results.flatMap((result) => result.scores.filter((score) => score.label === label));
    const above = [0.05, 0.1, 0.3, 0.5, 0.8, 0.9].map(
      (mark) => `≥${mark}:${scores.filter(({ confidence }) => confidence >= mark).length}`,
    );
    console.log(`  ${label} ${above.join(' ')}`);
  }
  console.log(`  analyse+detect ms med=${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0)}`);
}

async function childPeakMb(): Promise<number> {
  const peaks = (await processTree(process.pid))
    .filter((pid) => pid !== process.pid)
    .map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    });
  return Math.max(0, ...(await Promise.all(peaks)));
}
