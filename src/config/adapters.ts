/** The adapters that this version has, by port. One that is added is named here, and can be chosen from then on. */
export const ADAPTERS = {
  'object store': ['filesystem', 's3'],
  CDN: ['edge', 'cloudfront'],
  scanner: ['basic', 'clamd'],
  moderator: ['local', 'rekognition'],
  search: ['postgres', 'opensearch'],
  'key vault': ['local', 'kms'],
  metrics: ['prometheus'],
  'arrival events': ['client', 'sqs'],
  notifications: ['log'],
} as const satisfies Record<string, readonly string[]>;

export type Port = keyof typeof ADAPTERS;
export type Adapters = Readonly<Record<Port, readonly string[]>>;
