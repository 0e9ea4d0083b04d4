import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { assertImage } from './rekognition/image.ts';
import { Refusal } from './rekognition/refusal.ts';

const REKOGNITION_FAULTS = [
  'throttled',
  'too many',
  'broken',
  'unavailable',
  'denied',
  'lost',
  'silent',
  'garbage',
] as const;
/** What becomes of one call instead of its answer. */
export type RekognitionFault = (typeof REKOGNITION_FAULTS)[number];

export function isRekognitionFault(name: string): name is RekognitionFault {
  return REKOGNITION_FAULTS.some((fault) => fault === name);
}

export interface FakeLabel {
  readonly Name: string;
  readonly ParentName: string;
  readonly TaxonomyLevel: 1 | 2 | 3;
  /** Percent. */
  readonly Confidence: number;
}

export interface FakeRekognition {
  readonly endpoint: string;
  /** What it sees in every image from now on. */
  labels: readonly FakeLabel[];
  modelVersion: string;
  /** Sizes of the images that it took. */
  readonly images: { readonly width: number; readonly height: number; readonly bytes: number }[];
  /** All calls, those that were refused included. */
  calls: number;
  /** What becomes of the next calls, in order. */
  readonly faults: RekognitionFault[];
  close(): Promise<void>;
}

const TARGET = 'RekognitionService.DetectModerationLabels';

/** "DetectModerationLabels", API reference 2025: no other parameter exists. Adapters and human review are not used here. */
const Request = z.strictObject({
  Image: z.strictObject({ Bytes: z.base64().min(1) }),
  MinConfidence: z.number().min(0).max(100).default(50),
});

/** "Common Errors" and "DetectModerationLabels: Errors", API reference 2025. */
const FAULTS: Readonly<Partial<Record<RekognitionFault, Refusal>>> = {
  throttled: new Refusal(400, 'ThrottlingException'),
  'too many': new Refusal(400, 'ProvisionedThroughputExceededException'),
  broken: new Refusal(500, 'InternalServerError'),
  unavailable: new Refusal(503, 'ServiceUnavailable'),
  denied: new Refusal(400, 'AccessDeniedException'),
};

const GARBAGE = '{"ModerationLabels": [{"Name": "Explicit", "Confidence": 900}]}';

/**
 * DetectModerationLabels of Amazon Rekognition (JSON 1.1) over HTTP, with the documented rules; each is cited where it is
 * held. Nothing real can be had for it without an account.
 */
export async function startFakeRekognition(): Promise<FakeRekognition> {
  const fake = {
    labels: [] as readonly FakeLabel[],
    modelVersion: '7.0',
    images: [] as { width: number; height: number; bytes: number }[],
    calls: 0,
    faults: [] as RekognitionFault[],
  };
  const server = createServer((req, res) => {
    void answer(req, res).catch(() => res.destroy());
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req);
    fake.calls += 1;
    const fault = fake.faults.shift();
    if (fault === 'lost') return void req.socket.destroy();
    if (fault === 'silent') return;
    if (fault === 'garbage') return send(res, 200, GARBAGE);
    try {
      const refusal = fault === undefined ? undefined : FAULTS[fault];
      if (refusal !== undefined) throw refusal;
      send(res, 200, JSON.stringify(detect(req, body)));
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'SerializationException');
      send(res, refusal.status, refusal.toJson());
    }
  }

  function detect(req: IncomingMessage, body: string): object {
    // "Common Errors": MissingAuthenticationToken, and an unknown operation.
    if (
      !/^AWS4-HMAC-SHA256 Credential=[^,]+\/rekognition\/aws4_request/.test(req.headers.authorization ?? '')
    )
      throw new Refusal(403, 'MissingAuthenticationTokenException');
    if (req.headers['x-amz-target'] !== TARGET) throw new Refusal(400, 'UnknownOperationException');
    const parsed = Request.safeParse(JSON.parse(body));
    if (!parsed.success) throw new Refusal(400, 'InvalidParameterException');
    const { Image, MinConfidence } = parsed.data;
    fake.images.push(assertImage(Buffer.from(Image.Bytes, 'base64')));
    return {
      // "Rekognition doesn't return any labels with a confidence level lower than this specified value."
      ModerationLabels: fake.labels.filter(({ Confidence }) => Confidence >= MinConfidence),
      ModerationModelVersion: fake.modelVersion,
      ContentTypes: [],
    };
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return Object.assign(fake, {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  });
}

function send(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
}
