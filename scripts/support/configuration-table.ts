import { SETTINGS } from '#src/config/index.ts';

const BEGIN = '<!-- settings -->';
const END = '<!-- /settings -->';

/** A document with the tables of all settings between its two marks. */
export function withConfigurationTables(document: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`Expected ${BEGIN} and ${END}, in this order`);
  return `${document.slice(0, begin + BEGIN.length)}\n${tables()}\n${document.slice(end)}`;
}

function tables(): string {
  const areas = [...new Set(SETTINGS.map(({ area }) => area))];
  return areas.map((area) => [`\n## ${area}\n`, ...HEAD, ...rowsOf(area)].join('\n')).join('\n');
}

const HEAD = ['| variable | default | expected | what it does |', '|---|---|---|---|'];

function rowsOf(area: string): readonly string[] {
  return SETTINGS.filter((setting) => setting.area === area).map(
    ({ name, defaultText, expected, description, secret }) =>
      `| \`${name}\`${secret ? ' (secret)' : ''} | ${defaultText} | ${expected} | ${description} |`,
  );
}
