import { Refusal } from './refusal.ts';
import { el, type Element, itemsAt, textAt } from './xml.ts';

export interface Invalidation {
  readonly id: string;
  readonly reference: string;
  readonly paths: readonly string[];
  readonly createdAt: Date;
  completed: boolean;
}

const MAX_PATHS = 3000;
const MAX_WILDCARDS = 15;
const MAX_PATH_CHARACTERS = 4000;

/**
 * The invalidations of one distribution, with the rules of
 * - InvalidationBatch, CloudFront API Reference: one caller reference is one invalidation; with other paths it is
 *   InvalidationBatchAlreadyExists (in practice InvalidArgument, aws/aws-cdk issue 3878: `conflictsAs`);
 * - "Concurrent invalidation request maximum", Developer Guide: 3,000 paths and, apart from them, 15 wildcard paths;
 * - "What you need to know when invalidating paths", Developer Guide: a path begins with "/", has at most 4,000
 *   characters, `*` only at its end, and is percent-encoded where RFC 1738 asks for it.
 */
export class Invalidations {
  readonly all: Invalidation[] = [];
  conflictsAs: 'InvalidationBatchAlreadyExists' | 'InvalidArgument' = 'InvalidationBatchAlreadyExists';

  create(batch: Element): Invalidation {
    const reference = textAt(batch, 'CallerReference') ?? '';
    const paths = itemsAt(batch, 'Paths').map(({ text }) => text);
    if (reference === '') throw new Refusal(400, 'InvalidArgument', 'A caller reference is needed.');
    if (Number(textAt(batch, 'Paths', 'Quantity')) !== paths.length)
      throw new Refusal(
        400,
        'InconsistentQuantities',
        'The value of Quantity and the size of Items don’t match.',
      );
    if (paths.length > MAX_PATHS) throw new Refusal(413, 'BatchTooLarge', 'Invalidation batch is too large.');
    if (paths.length === 0 || !paths.every(isValid) || new Set(paths).size !== paths.length)
      throw new Refusal(
        400,
        'InvalidArgument',
        'Your request contains one or more invalid invalidation paths.',
      );

    const known = this.all.find((one) => one.reference === reference);
    if (known !== undefined) {
      if (known.paths.join('\n') === paths.join('\n')) return known;
      throw new Refusal(
        400,
        this.conflictsAs,
        'Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.',
      );
    }
    const wildcards = paths.filter((path) => path.endsWith('*')).length;
    const { singles, wild } = this.inProgress();
    if (singles + paths.length - wildcards > MAX_PATHS || wild + wildcards > MAX_WILDCARDS)
      throw new Refusal(
        400,
        'TooManyInvalidationsInProgress',
        'Processing your request will cause you to exceed the maximum number of in-progress invalidations.',
      );
    const id = `I${String(this.all.length + 1).padStart(13, '0')}`;
    const made = { id, reference, paths, createdAt: new Date(), completed: false };
    this.all.push(made);
    return made;
  }

  get(id: string): Invalidation {
    const found = this.all.find((one) => one.id === id);
    if (found === undefined)
      throw new Refusal(404, 'NoSuchInvalidation', 'The specified invalidation does not exist.');
    return found;
  }

  inProgress(): { singles: number; wild: number } {
    const paths = this.all.filter(({ completed }) => !completed).flatMap((one) => one.paths);
    const wild = paths.filter((path) => path.endsWith('*')).length;
    return { singles: paths.length - wild, wild };
  }
}

export function invalidationXml({ id, reference, paths, createdAt, completed }: Invalidation): Element {
  return el(
    'Invalidation',
    el('Id', id),
    el('Status', completed ? 'Completed' : 'InProgress'),
    el('CreateTime', createdAt.toISOString()),
    el(
      'InvalidationBatch',
      el('Paths', el('Quantity', paths.length), el('Items', ...paths.map((path) => el('Path', path)))),
      el('CallerReference', reference),
    ),
  );
}

function isValid(path: string): boolean {
  return (
    path.startsWith('/') &&
    path.length <= MAX_PATH_CHARACTERS &&
    !path.slice(0, -1).includes('*') &&
    /^[A-Za-z\d/_.~!$&'()*+,;=:@%-]+$/.test(path) &&
    !/%(?![\dA-Fa-f]{2})/.test(path)
  );
}
