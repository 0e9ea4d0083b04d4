import { findContacts } from '../../domain/contacts.ts';
import type { Finding } from '../../domain/finding.ts';
import { codeFacts } from '../../domain/printed-codes.ts';
import type { PhotoText } from '../../ports/text-reader.ts';

const TEXT_MODEL = 'pp-ocr-v4-mobile';
const CODE_MODEL = 'zxing';

/** Ways to reach somebody in what was read, masked, with their places. A code that was read is certain: it checks itself. */
export function contactFindings({ lines, codes, versions }: PhotoText): readonly Finding[] {
  const written = findContacts(lines).map(({ kind, confidence, region, masked }): Finding => {
    const version = versions[TEXT_MODEL] ?? null;
    const details = { masked };
    return { source: 'contact', label: kind, confidence, region, model: TEXT_MODEL, version, details };
  });
  const printed = codes.map(({ format, text, region }): Finding => {
    const { label, ...rest } = codeFacts(format, text);
    const version = versions[CODE_MODEL] ?? null;
    const details = { format, ...rest };
    return { source: 'contact', label, confidence: 1, region, model: CODE_MODEL, version, details };
  });
  return [...written, ...printed];
}
