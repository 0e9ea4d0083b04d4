import type { Settings } from './settings.ts';

/** CloudFront's own region: certificates, WAF, log delivery and figures of a distribution are there. */
export const EDGE_REGION = 'us-east-1';

/**
 * Physical names, so that stacks in several regions can speak of each other's resources before these exist. Names of
 * buckets are unique in the world, which the account's number makes sure of.
 */
export function namesOf({ name, account, region, replicaRegion }: Settings) {
  return {
    bucket: `${name}-${account}-${region}`,
    replicaBucket: `${name}-replica-${account}-${replicaRegion}`,
    /** Inventory of the bucket; S3 wants it in the bucket's region. */
    reportsBucket: `${name}-reports-${account}-${region}`,
    /** Server access logs of the buckets of a region; S3 wants them in that region. */
    logsBucket: `${name}-logs-${account}-${region}`,
    replicaLogsBucket: `${name}-logs-${account}-${replicaRegion}`,
    edgeLogsBucket: `${name}-edge-logs-${account}`,
    /** Queue of what arrives in the bucket, and the rule that fills it. */
    arrivals: `${name}-arrivals`,
    arrivalsFailed: `${name}-arrivals-failed`,
    /** Points to the key that wraps now; the service moves it when it rotates. */
    documentsAlias: `alias/${name}-documents`,
    acceptFunction: `${name}-accept`,
    refuseFunction: `${name}-refuse`,
    webRole: `${name}-web`,
    workerRole: `${name}-worker`,
    replicationRole: `${name}-replication`,
    stacks: {
      replica: `${name}-replica`,
      firewall: `${name}-firewall`,
      storage: `${name}-storage`,
      edge: `${name}-edge`,
      operations: `${name}-operations`,
      costs: `${name}-costs`,
    },
  } as const;
}

export type Names = ReturnType<typeof namesOf>;

/** The principals that may touch uploads and documents. */
export function privateRoleArns(settings: Settings): readonly string[] {
  const { webRole, workerRole, replicationRole } = namesOf(settings);
  return [webRole, workerRole, replicationRole].map(
    (role) => `arn:aws:iam::${settings.account}:role/${role}`,
  );
}
