/** One variable of the environment, and what it becomes. */
export interface Setting<T> {
  /** Of the variable. */
  readonly name: string;
  readonly description: string;
  /** What a value must be, to be read after "expected". */
  readonly expected: string;
  /** The default as documentation and `doctor` print it. */
  readonly defaultText: string;
  /** Its value is never printed, only its length. */
  readonly secret: boolean;
  /** The value of a text that is neither empty nor padded; undefined when it is not as expected. */
  readonly parse: (text: string) => T | undefined;
  /** The value when the variable is missing or blank. */
  readonly fallback: () => T;
}

/** Reads one setting; a wrong value is noted and its default returned, so that all problems are found at once. */
export type Read = <T>(setting: Setting<T>) => T;

/** What all kinds of settings are described by. */
interface About {
  readonly description: string;
  readonly secret?: boolean;
}

export function text(
  name: string,
  about: About & { default: string; expected: string; accepts: (text: string) => boolean },
): Setting<string> {
  return setting(name, about, {
    expected: about.expected,
    defaultText: about.default,
    parse: (value) => (about.accepts(value) ? value : undefined),
    fallback: () => about.default,
  });
}

/** A text that may be missing. `accepts` defaults to every text. */
export function optional(
  name: string,
  about: About & { expected: string; accepts?: (text: string) => boolean },
): Setting<string | null> {
  const { accepts = () => true } = about;
  return setting(name, about, {
    expected: about.expected,
    defaultText: '',
    parse: (value) => (accepts(value) ? value : undefined),
    fallback: () => null,
  });
}

/** A whole number. `defaultText` describes a default that depends on the machine. */
export function integer(
  name: string,
  about: About & { default: number | (() => number); defaultText?: string; min: number; max: number },
): Setting<number> {
  const { default: standard, min, max } = about;
  return setting(name, about, {
    expected: `a whole number from ${min} to ${max}`,
    defaultText: about.defaultText ?? String(standard),
    parse: (value) => within(/^\d{1,15}$/.test(value) ? Number(value) : Number.NaN, min, max),
    fallback: () => (typeof standard === 'number' ? standard : standard()),
  });
}

const UNITS = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** A number of bytes, with or without a unit. */
export function bytes(
  name: string,
  about: About & { default: number; min: number; max: number },
): Setting<number> {
  const { min, max } = about;
  return setting(name, about, {
    expected: `a number of bytes such as 10485760 or 10 MiB, from ${showBytes(min)} to ${showBytes(max)}`,
    defaultText: showBytes(about.default),
    parse: (value) => within(parseBytes(value), min, max),
    fallback: () => about.default,
  });
}

export function flag(name: string, about: About & { default: boolean }): Setting<boolean> {
  return setting(name, about, {
    expected: 'true or false',
    defaultText: String(about.default),
    parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
    fallback: () => about.default,
  });
}

export function choice<const T extends string>(
  name: string,
  known: readonly T[],
  about: About & { default: T },
): Setting<T> {
  return setting(name, about, {
    expected: `one of ${known.join(', ')}`,
    defaultText: about.default,
    parse: (value) => known.find((word) => word === value),
    fallback: () => about.default,
  });
}

/** Several of a few words, separated by commas, each once. */
export function choices<const T extends string>(
  name: string,
  known: readonly T[],
  about: About & { default: readonly T[] },
): Setting<readonly T[]> {
  return setting(name, about, {
    expected: `one or more of ${known.join(', ')}, separated by commas`,
    defaultText: about.default.join(','),
    parse(value) {
      const words = value.split(',').map((word) => word.trim());
      const chosen = known.filter((word) => words.includes(word));
      return words.every((word) => chosen.some((one) => one === word)) ? chosen : undefined;
    },
    fallback: () => about.default,
  });
}

/** A setting whose values are none of the usual kinds. */
export function setting<T>(
  name: string,
  about: About,
  rest: Omit<Setting<T>, 'name' | 'description' | 'secret'>,
): Setting<T> {
  return { name, description: about.description, secret: about.secret ?? false, ...rest };
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

function parseBytes(value: string): number {
  const match = /^(\d{1,15}) ?(KiB|MiB|GiB|TiB|)$/.exec(value);
  const unit = Object.entries(UNITS).find(([name]) => name === match?.[2]);
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit[1];
}

function showBytes(value: number): string {
  const unit = Object.entries(UNITS).findLast(([, size]) => value >= size && value % size === 0);
  return unit === undefined || unit[0] === '' ? String(value) : `${value / unit[1]} ${unit[0]}`;
}
