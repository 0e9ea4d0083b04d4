// npm run bucket:local: makes the bucket that S3_BUCKET names on the server of S3_ENDPOINT, with the CORS rules that
// browsers need to send files to it themselves. In an AWS account the infrastructure makes the bucket.
import { CreateBucketCommand, PutBucketCorsCommand, S3Client } from '@aws-sdk/client-s3';
import { loadConfig, readEnvironment } from '#src/config/index.ts';
import { bucketCors } from '#src/domain/bucket-cors.ts';

const { s3, server, storage } = loadConfig(readEnvironment());
if (storage.driver !== 's3' || s3.endpoint === null)
  throw new Error('Expected STORAGE_DRIVER=s3 and S3_ENDPOINT; in an AWS account use infra/');

const Bucket = s3.bucket;
const client = new S3Client({
  endpoint: s3.endpoint,
  region: s3.region,
  forcePathStyle: s3.forcePathStyle,
  requestChecksumCalculation: 'WHEN_REQUIRED',
});
await client.send(new CreateBucketCommand({ Bucket }));
const origin = server.publicUrl ?? `http://${server.host}:${server.port}`;
await client.send(
  new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [...bucketCors([origin])] } }),
);
client.destroy();
console.log(`Made the bucket ${Bucket} at ${s3.endpoint}`);
