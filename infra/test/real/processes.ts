import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { createLog } from '../../../src/app/log.ts';
import { type RunningApp, start } from '../../../src/app/start.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { urlOf } from '../../../test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { type FaultProxy, startFaultProxy } from '../../../test/support/fault-proxy.ts';
import { DOUBT_ALL } from '../../../test/support/policies.ts';
import { createTestBucket, type S3Server, type TestBucket } from '../../../test/support/s3-server.ts';
import { type RunningService, startService } from '../../../test/support/service.ts';
import { isAllowed, askedBy, type Asked } from './requests.ts';
import { roleStatements } from '../support/statements.ts';
import { EXAMPLE } from '../support/variants.ts';

/** An installation as the stacks make it, of a web process and a worker, each behind a proxy that knows its role. */
export interface Processes {
  readonly web: RunningService;
  readonly database: TestDatabase;
  readonly bucket: TestBucket;
  /** What each has asked of S3 and KMS so far. */
  readonly asked: Readonly<Record<Role, readonly Asked[]>>;
  /** What its role does not allow. It was refused. */
  readonly refused: Readonly<Record<Role, readonly Asked[]>>;
  close(): Promise<void>;
}
type Role = 'web' | 'worker';

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  web: EXAMPLE.names.webRole,
  worker: EXAMPLE.names.workerRole,
};

export async function startProcesses(server: S3Server): Promise<Processes> {
  const bucket = await createTestBucket(server, { versioned: true });
  const replica = await createTestBucket(server, { versioned: true });
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'localex-roles-'));
  await chmod(dataDir, 0o755);
  const alias = await makeWrappingKey(server, bucket.name);
  const asked: Record<Role, Asked[]> = { web: [], worker: [] };
  const refused: Record<Role, Asked[]> = { web: [], worker: [] };
  const names = { [bucket.name]: EXAMPLE.names.bucket, [replica.name]: EXAMPLE.names.replicaBucket };

  async function guarded(role: Role): Promise<FaultProxy> {
    const proxy = await startFaultProxy(server.endpoint);
    const statements = roleStatements(EXAMPLE).get(ROLE_NAMES[role]) ?? [];
    proxy.inject((request) => {
      const all = askedBy(request, names);
      const missing = all.filter((one) => !isAllowed(one, statements));
      asked[role].push(...all);
      refused[role].push(...missing);
      return missing.length === 0 ? null : { kind: 'error', status: 403, code: 'AccessDenied' };
    });
    return proxy;
  }
  const proxies = { web: await guarded('web'), worker: await guarded('worker') };
  const settingsOf = (role: Role): Readonly<Record<string, string>> => ({
    ...bucket.settings,
    S3_ENDPOINT: proxies[role].url,
    S3_REPLICA_BUCKET: replica.name,
    S3_REPLICA_REGION: server.region,
    S3_REPLICA_ENDPOINT: proxies[role].url,
    KEYS_DRIVER: 'kms',
    KMS_KEY_ID: alias,
    KMS_ENDPOINT: proxies[role].url,
    DATABASE_URL: urlOf(database),
    DATA_DIR: dataDir,
    ...DOUBT_ALL,
    FIND_COPIES: 'false',
    TEXT_READING: 'false',
    UPLOADS_PER_MINUTE: '1000',
    LOG_LEVEL: 'warn',
  });
  const worker = await startWorker(settingsOf('worker'));
  const web = await startService({ dataDir, env: { ...settingsOf('web'), ROLES: 'http,edge' } });
  return {
    web,
    database,
    bucket,
    asked,
    refused,
    async close() {
      await web.stop();
      await worker.stop();
      await Promise.all([proxies.web.close(), proxies.worker.close()]);
      await database.close();
      await Promise.all([bucket.close(), replica.close()]);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** In this process: nothing answers outside by which another could be told that a worker is ready. */
async function startWorker(settings: Readonly<Record<string, string>>): Promise<RunningApp> {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
  for (const name of names) process.env[name] = settings[name];
  const running = await start(loadConfig({ ...settings, PORT: '0', ROLES: 'worker' }), createLog('silent'));
  return {
    ...running,
    async stop() {
      const isClean = await running.stop();
      for (const name of names) delete process.env[name];
      return isClean;
    },
  };
}

async function makeWrappingKey({ endpoint, region, credentials }: S3Server, name: string): Promise<string> {
  const kms = new KMSClient({ endpoint, region, credentials });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const AliasName = `alias/${name}`;
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
  kms.destroy();
  return AliasName;
}
