import path from 'node:path';

export interface Import {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
}

const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|[\s;{}()])\/\/[^\n]*/g;
const IMPORTS =
  /(?:^|[\s;])(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"\n]+)['"]|\bimport\s*\(\s*['"]([^'"\n]+)['"]/g;

/** Everything a file imports or re-exports, types too, statically or by `import('…')` with a literal. */
export function importsOf(source: string): readonly Import[] {
  const code = source.replace(COMMENTS, (comment) => comment.replace(/[^\n]/g, ' '));
  return [...code.matchAll(IMPORTS)].map((match) => ({
    specifier: match[1] ?? match[2] ?? '',
    line: code.slice(0, match.index + match[0].length).split('\n').length,
  }));
}

/** Where in the tree an import leads, as a path from its root; null for packages and Node's own modules. */
export function pathOfImport(from: string, specifier: string): string | null {
  if (specifier.startsWith('#src/') || specifier.startsWith('#test/')) return specifier.slice(1);
  if (!specifier.startsWith('.')) return null;
  return path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier));
}

/** `@scope/name/part` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
