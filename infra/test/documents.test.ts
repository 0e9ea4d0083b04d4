import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ENVIRONMENT, OPTIONAL_ENVIRONMENT } from '../src/environment.ts';
import { exampleSettings } from '../src/example.ts';
import { synthesise } from './support/synthesise.ts';
import { EXAMPLE, WITH_EVERYTHING } from './support/variants.ts';

const read = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../../docs/storage/${file}`, import.meta.url)), 'utf8');
const infrastructure = read('infrastructure.md');
const guide = read('setup-guide.md');
const WITH_FIREWALL = synthesise({ firewall: true });

test('the table of stacks names every kind of resource of every stack, and no other', () => {
  const rows = infrastructure.matchAll(/^\| `(\w+)`[^|]*\|[^|]*\|(.*)\|$/gm);
  const documented = [...rows].map(([, stack = '', kinds = '']) => [
    `localex-storage-${stack}`,
    [...kinds.matchAll(/`([\w:]+)`/g)].map(([, kind]) => `AWS::${kind}`).toSorted(),
  ]);
  const made = Object.entries(WITH_FIREWALL.templates).map(([stack, { Resources }]) => [
    stack,
    [...new Set(Object.values(Resources).map(({ Type }) => Type))].toSorted(),
  ]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(made));
});

test('the diagram has a box for every stack, and draws nothing from or to a box that is not there', () => {
  const diagram = /```mermaid\n(.*?)```/s.exec(infrastructure)?.[1] ?? '';
  const boxes = [...diagram.matchAll(/^ {2}subgraph (\w+)/gm)].map(([, name = '']) => name);
  const stacks = Object.keys(WITH_FIREWALL.templates).map((stack) => stack.replace('localex-storage-', ''));
  expect(boxes.toSorted()).toEqual([...stacks, 'compute'].toSorted());
  const declared = new Set([...diagram.matchAll(/\b(\w+)(?=[[({]+)/g)].map(([, name]) => name));
  const drawn = [...diagram.matchAll(/^ {2}(\w+) (?:-|=)[^\n]*$/gm)].flatMap(([line]) =>
    line
      .replaceAll(/\|[^|]*\|/g, ' ')
      .split(/\s(?:-\.->|-->|==>|---)\s/)
      .map((end) => end.trim().replace(/\W.*$/, '')),
  );
  expect(drawn.length).toBeGreaterThan(30);
  expect(drawn.filter((name) => !declared.has(name))).toEqual([]);
});

test('the guide explains every setting and every variable that is written', () => {
  const known = [
    ...Object.keys(exampleSettings()),
    ...Object.keys(WITH_EVERYTHING.settings),
    'publicKeyFiles',
  ];
  for (const setting of new Set(known.filter((name) => name !== 'publicKeys')))
    expect(guide, setting).toContain(`\`${setting}\``);
  for (const variable of [...ENVIRONMENT, ...OPTIONAL_ENVIRONMENT, 'CLOUDFRONT_PRIVATE_KEY_FILE'])
    expect(guide, variable).toContain(`\`${variable}\``);
});

test('the guide names the buckets as they are made', () => {
  const { bucket, replicaBucket, reportsBucket, logsBucket, edgeLogsBucket } = EXAMPLE.names;
  const pattern = (name: string) =>
    name
      .replace('localex-storage', 'NAME')
      .replace('111122223333', 'ACCOUNT')
      .replace('eu-central-1', 'REGION')
      .replace('eu-west-1', 'REPLICA');
  const documented = [...guide.matchAll(/^\| `(NAME-[\w-]+?)(?:-…)?`/gm)].map(([, name = '']) => name);
  const made = [bucket, replicaBucket, reportsBucket, logsBucket, edgeLogsBucket].map(pattern);
  for (const name of documented.filter((each) => !['NAME-web', 'NAME-worker'].includes(each)))
    expect(
      made.filter((each) => each.startsWith(name)),
      name,
    ).not.toEqual([]);
  expect(documented.length).toBe(7);
});
