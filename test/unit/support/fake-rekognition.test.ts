import { afterAll, beforeAll, expect, it } from 'vitest';
import sharp from 'sharp';
import { type FakeRekognition, startFakeRekognition } from '#test/fakes/rekognition.ts';

let fake: FakeRekognition;
beforeAll(async () => {
  fake = await startFakeRekognition();
});
afterAll(() => fake.close());

const SIGNED = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/rekognition/aws4_request, Signature=0',
  'x-amz-target': 'RekognitionService.DetectModerationLabels',
};

async function call(body: object, headers: Readonly<Record<string, string>> = SIGNED) {
  const response = await fetch(fake.endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.text() };
}

async function picture(width: number, height: number, format: 'jpeg' | 'png' | 'webp'): Promise<string> {
  const blank = sharp({ create: { width, height, channels: 3, background: '#808080' } });
  return (await blank.toFormat(format).toBuffer()).toString('base64');
}

it('takes JPEG and PNG of 50 px and more', async () => {
  for (const format of ['jpeg', 'png'] as const)
    expect(await call({ Image: { Bytes: await picture(50, 50, format) } })).toMatchObject({ status: 200 });
});

it('refuses what the service refuses', async () => {
  const jpeg = await picture(80, 80, 'jpeg');
  const refused = async (expected: string, body: object, headers = SIGNED) => {
    const reply = await call(body, headers);
    expect([reply.status >= 400, reply.body]).toEqual([true, expect.stringContaining(expected)]);
  };
  await refused('InvalidImageFormatException', { Image: { Bytes: await picture(80, 80, 'webp') } });
  await refused('InvalidParameterException', { Image: { Bytes: await picture(80, 49, 'jpeg') } });
  await refused('ImageTooLargeException', {
    Image: { Bytes: Buffer.alloc(5 * 1024 * 1024 + 1).toString('base64') },
  });
  await refused('InvalidParameterException', { Image: { Bytes: jpeg }, MinConfidence: 101 });
  await refused('InvalidParameterException', { Image: { Bytes: jpeg }, Unheard: true });
  await refused('InvalidParameterException', { Image: {} });
  await refused('MissingAuthentication', { Image: { Bytes: jpeg } }, { ...SIGNED, authorization: '' });
  await refused('UnknownOperation', { Image: { Bytes: jpeg } }, { ...SIGNED, 'x-amz-target': 'X.Y' });
});

it('gives no labels below the confidence that was asked for, 50 when none was', async () => {
  fake.labels = [
    { Name: 'Violence', ParentName: '', TaxonomyLevel: 1, Confidence: 60 },
    { Name: 'Alcohol', ParentName: '', TaxonomyLevel: 1, Confidence: 30 },
  ];
  const Bytes = await picture(60, 60, 'jpeg');
  expect((await call({ Image: { Bytes } })).body).not.toContain('Alcohol');
  expect((await call({ Image: { Bytes }, MinConfidence: 20 })).body).toContain('Alcohol');
});
