import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const REGION = z
  .string()
  .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'the name of an AWS region such as eu-central-1');
const ORIGIN = z.string().regex(/^https:\/\/[a-z\d.-]+(:\d+)?$/, 'an origin such as https://localex.example');
/** ISO 3166-1 alpha-2, as CloudFront's geo-restriction wants them. */
const COUNTRIES = z.array(z.string().regex(/^[A-Z]{2}$/, 'a country such as DE')).min(1);

/** Where `npm run deploy` puts the public key that it makes. */
const PUBLIC_KEY_FILE = 'keys/cloudfront.pub.pem';

const SETTINGS = z
  .strictObject({
    /** Begins the name of all that is made; short, since a bucket's name ends at 63 characters. */
    name: z.string().regex(/^[a-z][a-z\d-]{2,19}$/, '3 to 20 lower-case letters, digits and hyphens'),
    account: z.string().regex(/^\d{12}$/, 'the 12 digits of an AWS account'),
    region: REGION,
    /** Where every object but temporary ones is kept a second time. */
    replicaRegion: REGION,
    /**
     * Files with the PEM public keys by which CloudFront checks signed URLs, relative to the file of settings. The service
     * signs with the first; others are still believed, which is how a key is exchanged.
     */
    publicKeyFiles: z.array(z.string().min(1)).min(1).max(5).default([PUBLIC_KEY_FILE]),
    /** Where clients reach the service, and CloudFront what only the service can look up. */
    serviceUrl: ORIGIN,
    /** Origins of web apps that send files to the bucket themselves. */
    uploadOrigins: z.array(ORIGIN).min(1),
    alarmEmail: z.email().optional(),
    monthlyBudgetUsd: z.number().positive(),
    /** `s3`: keys that S3 holds (SSE-S3); `kms`: a key of ours in each region, which costs by request. */
    encryption: z.enum(['s3', 'kms']).default('s3'),
    /** The longest that a signed URL works; the bucket refuses older ones. As SIGNED_URL_MAX_SECONDS of the service. */
    signedUrlMaxSeconds: z.int().min(10).max(604_800).default(3600),
    /** Host name of the CDN; the certificate lies in us-east-1, where CloudFront looks for it. */
    domain: z
      .strictObject({
        name: z.string().regex(/^([a-z\d-]+\.)+[a-z]{2,}$/, 'a host name such as cdn.localex.example'),
        certificateArn: z
          .string()
          .regex(
            /^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/,
            'the ARN of a certificate in us-east-1',
          ),
      })
      .optional(),
    /** Countries that are served alone, or not at all. */
    countries: z
      .union([z.strictObject({ allow: COUNTRIES }), z.strictObject({ deny: COUNTRIES })])
      .optional(),
    /** Whether AWS WAF stands before CloudFront: known bad input and floods; costs by month and request. */
    firewall: z.boolean().default(false),
    /** What the service runs on: who may take the two roles. */
    compute: z.enum(['ecs', 'ec2']).default('ecs'),
  })
  .refine(({ region, replicaRegion }) => region !== replicaRegion, {
    path: ['replicaRegion'],
    message: 'another region than region',
  });

/** What an operator decides about an installation; the public keys are read already. */
export type Settings = Readonly<Omit<z.infer<typeof SETTINGS>, 'publicKeyFiles'>> & {
  /** PEM; the first signs. */
  readonly publicKeys: readonly string[];
};

/**
 * Reads a file of settings (JSON). Throws an Error that names every setting that is wrong, with what was expected; so
 * does a public key that CloudFront would refuse (RSA 2048 or ECDSA 256: CloudFront Developer Guide, "Specify signers
 * that can create signed URLs and signed cookies", 2025).
 *
 * @param instead replaces what stands in the file
 */
export function readSettings(file: string, instead: Readonly<Record<string, unknown>> = {}): Settings {
  const parsed = SETTINGS.safeParse({ ...JSON.parse(readFileSync(file, 'utf8')), ...instead });
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path: at, message }) => `  ${at.join('.') || 'the file'}: ${message}`,
    );
    throw new Error([`${path.basename(file)} is not valid; expected`, ...lines].join('\n'));
  }
  const { publicKeyFiles, ...settings } = parsed.data;
  const folder = path.dirname(file);
  return { ...settings, publicKeys: publicKeyFiles.map((name) => readPublicKey(path.resolve(folder, name))) };
}

function readPublicKey(file: string): string {
  const pem = readFileSync(file, 'utf8');
  if (pem.includes('PRIVATE KEY'))
    throw new Error(`${path.basename(file)} holds a private key; expected the public one`);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey(pem);
  const isFit =
    (type === 'rsa' && details?.modulusLength === 2048) ||
    (type === 'ec' && details?.namedCurve === 'prime256v1');
  if (!isFit)
    throw new Error(`${path.basename(file)}: expected an RSA key of 2048 bits or an ECDSA key on P-256`);
  return pem;
}
