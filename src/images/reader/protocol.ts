import { z } from 'zod';

export interface ReadCommand {
  readonly op: 'read';
  readonly bytes: Uint8Array;
}

const Fraction = z.number().min(0).max(1);
const Region = z.object({ left: Fraction, top: Fraction, width: Fraction, height: Fraction });

/** What the process answers; it is taken with care, like that of every process that looks at photos. */
export const Read = z.object({
  lines: z.array(z.object({ text: z.string().max(1000), confidence: Fraction, region: Region })).max(500),
  codes: z
    .array(z.object({ format: z.string().max(40), text: z.string().max(8000), region: Region }))
    .max(50),
  versions: z.record(z.string(), z.string()),
});
export type Read = z.infer<typeof Read>;
