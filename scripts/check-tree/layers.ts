/**
 * Which top folders of `src/` a folder may import from, besides itself: dependencies point one way.
 * `app` puts everything together and may import all; so may the files that lie in `src/` itself.
 */
export const LAYERS: Readonly<Record<string, readonly string[] | 'all'>> = {
  domain: [],
  ports: ['domain'],
  config: ['domain'],
  db: ['domain', 'ports'],
  images: ['domain', 'ports'],
  adapters: ['domain', 'ports'],
  services: ['db', 'domain', 'ports'],
  jobs: ['services', 'db', 'domain', 'ports'],
  http: ['services', 'domain', 'ports'],
  cli: ['services', 'domain', 'ports'],
  app: 'all',
};

/** Packages that belong to one kind of work; nobody but these folders (and `app`) imports them. */
export const PACKAGE_OWNERS: readonly { readonly packages: RegExp; readonly folders: readonly string[] }[] = [
  { packages: /^(fastify|fastify-.*|@fastify\/.*|@scalar\/.*|@tus\/.*)$/, folders: ['http'] },
  { packages: /^(bullmq|ioredis|@aws-sdk\/.*|@opensearch-project\/.*)$/, folders: ['adapters'] },
  {
    packages:
      /^(sharp|heic-decode|onnxruntime-node|thumbhash|zxing-wasm|ppu-paddle-ocr|@gutenye\/ocr-models)$/,
    folders: ['images'],
  },
  { packages: /^(pg|kysely)$/, folders: ['db', 'adapters'] },
];

/** `domain` does no I/O: of Node it may have only what computes. */
export const PURE_FOLDER = 'domain';
export const PURE_MODULES: readonly string[] = ['node:buffer', 'node:crypto', 'node:zlib'];
