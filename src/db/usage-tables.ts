import type { BigInt8, Timestamp } from './column-types.ts';

/** Views of a photo on a day in UTC. Robots apart. */
export interface PhotoUsageTable {
  /** `2026-11-24` */
  day: string;
  file_id: string;
  views: BigInt8;
  robot_views: BigInt8;
  bytes: BigInt8;
}

/** What a CDN did on a day in UTC. */
export interface DeliveryUsageTable {
  day: string;
  source: 'edge' | 'cloudfront';
  requests: BigInt8;
  robot_requests: BigInt8;
  hits: BigInt8;
  misses: BigInt8;
  errors: BigInt8;
  bytes: BigInt8;
}

/** Files of CloudFront's access log that were counted. */
export interface UsageLogFilesTable {
  key: string;
  etag: string;
  bytes: BigInt8;
  lines: BigInt8;
  /** What of it could not be read. */
  damage: string | null;
  delivered_at: Timestamp;
  read_at: Timestamp;
}

/** Tables of what is looked at. */
export interface UsageTables {
  photo_usage: PhotoUsageTable;
  delivery_usage: DeliveryUsageTable;
  usage_log_files: UsageLogFilesTable;
}
