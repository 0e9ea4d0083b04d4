import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A part of a plan, as `explain (format json)` writes it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly 'Index Name'?: string | undefined;
  readonly 'Index Cond'?: string | undefined;
  readonly 'Total Cost': number;
  readonly Plans?: readonly PlanNode[] | undefined;
}

const PlanNode: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Index Name': z.string().optional(),
    'Index Cond': z.string().optional(),
    'Total Cost': z.number(),
    Plans: z.array(PlanNode).optional(),
  }),
);
const Logged = z.object({
  'Query Text': z.string(),
  'Query Parameters': z.string().optional(),
  Plan: PlanNode,
});

/** What `explain (format json)` answers. */
export const Explained = z.tuple([z.object({ Plan: PlanNode })]);

/** A statement that was run, also inside a function or a trigger, and how. */
export interface LoggedPlan {
  readonly text: string;
  /** `$1 = '…', $2 = NULL`; empty when it has none. */
  readonly parameters: string;
  readonly plan: PlanNode;
}

/** What `auto_explain` needs so that the log of a server has the plan of everything that is run. */
export const LOG_PLANS: readonly string[] = [
  `alter system set session_preload_libraries = 'auto_explain'`,
  'select pg_reload_conf()',
  `alter database localex set auto_explain.log_min_duration = 0`,
  `alter database localex set auto_explain.log_nested_statements = on`,
  `alter database localex set auto_explain.log_format = json`,
  `alter database localex set auto_explain.log_verbose = off`,
];

const ENTRY = /LOG: {2}duration: [\d.]+ ms {2}plan:\n((?:\t.*\n|[^\S\n].*\n)*)/g;

export async function readPlans(logFile: string): Promise<LoggedPlan[]> {
  const text = await readFile(logFile, 'utf8');
  return [...text.matchAll(ENTRY)].map(([, json = '']) => {
    const logged = Logged.parse(JSON.parse(json));
    return {
      text: logged['Query Text'],
      parameters: logged['Query Parameters'] ?? '',
      plan: logged.Plan,
    };
  });
}

/** A plan and everything below it. */
export function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
