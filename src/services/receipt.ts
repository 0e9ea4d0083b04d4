import type { FileKind, FileState } from '../domain/file-state.ts';
import { METADATA_WORDS, type MetadataKind, type RemovedKind } from '../domain/metadata.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';

/** What we can say about the privacy of one photo. Kinds, sizes and hashes; no value of what was found. */
export interface ReceiptStatement {
  readonly version: 1;
  readonly photoId: string;
  readonly kind: FileKind;
  readonly state: FileState;
  readonly issuedAt: string;
  readonly upload: {
    /** Hex. */
    readonly sha256: string | null;
    readonly bytes: number | null;
    readonly format: string | null;
    readonly receivedAt: string | null;
  };
  /** Null where that kind was not looked for when the photo was checked, by an earlier version. */
  readonly contained: readonly { readonly kind: MetadataKind; readonly found: boolean | null }[];
  readonly trailingBytes: number | null;
  /** What was there and is in no output. Empty while there is no output. */
  readonly removed: readonly RemovedKind[];
  /** Everything that was made of the upload and is kept, each read again before it was stored. */
  readonly outputs: readonly {
    readonly name: VariantName;
    readonly format: OutputFormat;
    /** Null while it is not public. */
    readonly url: string | null;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly readAgainAt: string;
    readonly clean: boolean;
    /** Names of parts that do not belong there; empty when clean. */
    readonly findings: readonly string[];
    /** Null in those of an earlier version. */
    readonly recipe: string | null;
  }[];
  readonly recipes: readonly {
    readonly id: string;
    readonly encoder: Readonly<Record<string, string | number | boolean>>;
    readonly versions: Readonly<Record<string, string>>;
  }[];
}

export interface Receipt {
  readonly statement: ReceiptStatement;
  /** Hex, of the statement as JSON without blanks, in the order in which it is sent. The audit ledger holds it. */
  readonly sha256: string;
}

/** The receipt in plain words, for people. */
export function receiptText({ statement, sha256 }: Receipt): string {
  const { upload, contained, trailingBytes, removed, outputs, recipes } = statement;
  const found = contained.filter((each) => each.found === true).map(({ kind }) => METADATA_WORDS[kind]);
  const unasked = contained.filter((each) => each.found === null).map(({ kind }) => METADATA_WORDS[kind]);
  const behind = (trailingBytes ?? 0) > 0 ? [`${trailingBytes} bytes behind the end of the picture`] : [];
  return [
    'Privacy receipt',
    '',
    `Photo      ${statement.photoId} (${statement.state})`,
    `Issued     ${statement.issuedAt}`,
    `Uploaded   ${upload.receivedAt ?? 'unknown'}, ${upload.bytes ?? '?'} bytes, ${upload.format ?? 'unknown type'}`,
    `SHA-256    ${upload.sha256 ?? 'unknown'}`,
    '',
    'In the uploaded file',
    ...bullets([...found, ...behind], 'nothing beside the picture'),
    ...(unasked.length === 0 ? [] : [`  Not looked for at the time: ${unasked.join(', ')}.`]),
    '',
    'Removed',
    ...bullets(
      removed.map((kind) => METADATA_WORDS[kind]),
      noneRemoved(outputs),
    ),
    '',
    'What was made of it, read again before it was stored',
    ...outputs.map(
      (each) =>
        `  ${each.name} ${each.format}, ${each.width} x ${each.height}, ${each.bytes} bytes, ${each.readAgainAt}: ${each.clean ? 'only the picture' : `found ${each.findings.join(', ')}`}\n    SHA-256 ${each.sha256}${each.recipe === null ? '' : `, recipe ${each.recipe}`}${each.url === null ? '' : `\n    ${each.url}`}`,
    ),
    ...recipes.map(
      ({ id, versions }) =>
        `  recipe ${id}: ${Object.entries(versions)
          .map((pair) => pair.join(' '))
          .join(', ')}`,
    ),
    '',
    `The SHA-256 of this statement is ${sha256}. The audit ledger of the service holds it.`,
    '',
  ].join('\n');
}

function noneRemoved(outputs: ReceiptStatement['outputs']): string {
  if (outputs.length === 0) return 'nothing was made of this file';
  return outputs.every(({ clean }) => clean)
    ? 'nothing had to be'
    : 'not proved: something beside the picture was found in what was made of it';
}

function bullets(words: readonly string[], none: string): string[] {
  return (words.length === 0 ? [none] : words).map((word) => `  - ${word}`);
}
