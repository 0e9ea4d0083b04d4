import { type Import, importsOf, packageOf, pathOfImport } from './imports.ts';
import { LAYERS, PACKAGE_OWNERS, PURE_FOLDER, PURE_MODULES } from './layers.ts';

const MAX_LINES = 300;
const SILENCERS = /(?:oxlint|eslint)-disable|biome-(?:ignore)|@ts-(?:ignore|expect-error|nocheck)/;

/**
 * What is wrong with one source file, as lines that name the place.
 *
 * @param file its path from the root of the tree, with forward slashes
 */
export function checkFile(file: string, source: string): readonly string[] {
  return [
    ...checkSilencers(file, source),
    ...checkLength(file, source),
    ...importsOf(source).flatMap((found) =>
      checkImport(file, found).map((problem) => `${file}:${found.line} ${problem}`),
    ),
  ];
}

function checkSilencers(file: string, source: string): readonly string[] {
  return source
    .split('\n')
    .flatMap((line, index) =>
      SILENCERS.test(line) ? [`${file}:${index + 1} silences a check; mend what it finds instead`] : [],
    );
}

function checkLength(file: string, source: string): readonly string[] {
  const lines = source.trimEnd().split('\n').length;
  return file.startsWith('src/') && lines > MAX_LINES
    ? [`${file} has ${lines} lines; past ${MAX_LINES} it is two files`]
    : [];
}

function checkImport(file: string, { specifier }: Import): readonly string[] {
  if (!file.startsWith('src/')) return [];
  const target = pathOfImport(file, specifier);
  const from = topFolder(file);
  if (target !== null) return checkFolder(from, target);
  return [...checkOwner(from, specifier), ...checkPurity(from, specifier)];
}

function checkFolder(from: string | null, target: string): readonly string[] {
  if (!target.startsWith('src/')) return [`imports ${target}, which lies outside src/`];
  if (from === null) return [];
  const to = topFolder(target);
  const allowed = LAYERS[from];
  if (allowed === undefined)
    return [`lies in src/${from}/, which scripts/check-tree/layers.ts does not know`];
  if (allowed === 'all' || to === from || (to !== null && allowed.includes(to))) return [];
  const others = allowed.map((folder) => `${folder}/`).join(', ');
  return [`imports ${target}: ${from}/ may import ${others === '' ? 'only itself' : `itself, ${others}`}`];
}

function checkOwner(from: string | null, specifier: string): readonly string[] {
  if (from === null || from === 'app') return [];
  const name = packageOf(specifier);
  return PACKAGE_OWNERS.filter(({ packages, folders }) => packages.test(name) && !folders.includes(from)).map(
    ({ folders }) => `imports ${name}: it belongs to ${folders.map((folder) => `${folder}/`).join(' and ')}`,
  );
}

function checkPurity(from: string | null, specifier: string): readonly string[] {
  if (from !== PURE_FOLDER || PURE_MODULES.includes(specifier)) return [];
  return [`imports ${specifier}: ${PURE_FOLDER}/ imports nothing but itself and ${PURE_MODULES.join(', ')}`];
}

/** `src/http/auth.ts` → `http`; null for files directly in `src/`. */
function topFolder(file: string): string | null {
  const parts = file.split('/');
  return parts.length > 2 ? (parts[1] ?? null) : null;
}
