import type { Synthesised, SynthesisedTemplate } from './synthesise.ts';

export interface FoundResource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** What stands beside the properties, such as DeletionPolicy. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Resources of a type in all stacks. */
export function allOf({ templates }: Synthesised, type: string): readonly FoundResource[] {
  return Object.entries(templates).flatMap(([stack, template]) => of(stack, template, type));
}

/** The one resource of a type whose properties hold what is given. */
export function oneOf(
  synthesised: Synthesised,
  type: string,
  holding: Readonly<Record<string, unknown>> = {},
): FoundResource {
  const found = allOf(synthesised, type).filter(({ properties }) =>
    Object.entries(holding).every(([name, value]) => properties[name] === value),
  );
  const [only, ...others] = found;
  if (only === undefined || others.length > 0)
    throw new Error(`Expected one ${type} with ${JSON.stringify(holding)}, found ${found.length}`);
  return only;
}

function of(stack: string, template: SynthesisedTemplate, type: string): readonly FoundResource[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Type, Properties, ...attributes }]) => ({
      stack,
      id,
      type: Type,
      properties: Properties,
      attributes,
    }));
}
