import { z } from 'zod';
import { S3_GAPS } from '#test/contracts/object-store/s3-gaps.ts';

/** A report of vitest's JSON reporter, as far as it is read here. */
export const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({ ancestorTitles: z.array(z.string()), title: z.string(), status: z.string() }),
      ),
    }),
  ),
});

const BEGIN = '<!-- proofs -->';
const END = '<!-- /proofs -->';
const SERVERS = ['Ceph RGW', 'versitygw', 'LocalStack'] as const;
type Server = (typeof SERVERS)[number];

/** The document with the table of what a run of the contract has shown on each server, between its two marks. */
export function withProofs(document: string, report: z.infer<typeof Report>): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`Expected ${BEGIN} and ${END}, in this order`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table(clausesOf(report)).join('\n')}\n\n${document.slice(end)}`;
}

interface Clause {
  readonly group: string;
  readonly title: string;
  readonly status: Map<Server, string>;
}

function clausesOf(report: z.infer<typeof Report>): readonly Clause[] {
  const clauses = new Map<string, Clause>();
  for (const { ancestorTitles, title, status } of report.testResults
    .filter(({ name }) => name.endsWith('/object-store.s3.test.ts'))
    .flatMap((file) => file.assertionResults)) {
    const [top = '', group = ''] = ancestorTitles;
    const server = SERVERS.find((name) => top.includes(name));
    if (server === undefined) throw new Error(`Expected a server in “${top}”`);
    const name = familyOf(title);
    const clause = clauses.get(`${group}/${name}`) ?? { group, title: name, status: new Map() };
    if (clause.status.get(server) !== 'failed') clause.status.set(server, status);
    clauses.set(`${group}/${name}`, clause);
  }
  return [...clauses.values()];
}

/** One row for the clauses that differ in an example alone. */
function familyOf(title: string): string {
  if (/^\d+ bytes come back/.test(title)) return 'bytes of every size come back as they went in';
  return title.replace(/^the key ".*" is refused/, 'a key that is none is refused');
}

function table(clauses: readonly Clause[]): string[] {
  const rows = clauses.map(
    (clause) =>
      `| ${clause.group} | ${clause.title} | ${SERVERS.map((server) => shown(clause, server)).join(' | ')} |`,
  );
  return [`| | clause | ${SERVERS.join(' | ')} |`, '|---|---|---|---|---|', ...rows];
}

function shown({ title, status }: Clause, server: Server): string {
  const found = status.get(server);
  if (found === 'failed') throw new Error(`“${title}” failed on ${server}: there is nothing to write down`);
  return found === 'passed' ? 'yes' : (S3_GAPS[server][title] ?? 'does not have it');
}
