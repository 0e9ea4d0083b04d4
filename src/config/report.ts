import type { Setting } from './setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Problem {
  readonly name: string;
  /** What the variable holds; never a secret. */
  readonly holds: string;
  readonly expected: string;
}

/** Where the value of a setting comes from, for people to read. */
export interface SettingSource {
  readonly name: string;
  readonly source: 'default' | 'environment';
  /** The value, or of a secret that there is one. */
  readonly shown: string;
}

const MAX_SHOWN = 80;
/** A password in an address, a key where a path belongs. */
const MISPLACED_SECRET = /:\/\/.*@|-----BEGIN/s;

/** The text of a variable; undefined when it is missing or blank. */
export function heldBy(env: Environment, { name }: Pick<Setting<unknown>, 'name'>): string | undefined {
  const text = Object.hasOwn(env, name) ? env[name]?.trim() : undefined;
  return text === '' ? undefined : text;
}

/** What a variable holds, in words that may be logged. */
export function showHeld(env: Environment, setting: Setting<unknown>): string {
  const text = heldBy(env, setting);
  if (text === undefined) return 'not set';
  if (setting.secret || MISPLACED_SECRET.test(text)) return `(set, ${text.length} characters)`;
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

export function sourceOf(env: Environment, setting: Setting<unknown>): SettingSource {
  const isSet = heldBy(env, setting) !== undefined;
  return {
    name: setting.name,
    source: isSet ? 'environment' : 'default',
    shown: isSet ? showHeld(env, setting) : setting.defaultText,
  };
}

/** One line a problem. */
export function describeProblems(problems: readonly Problem[]): string {
  const lines = problems.map(({ name, holds, expected }) =>
    holds === 'not set'
      ? `  ${name} is not set, expected ${expected}`
      : `  ${name} is ${holds}, expected ${expected}`,
  );
  return ['The configuration is not valid:', ...lines].join('\n');
}
