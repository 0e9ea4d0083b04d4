import { createServer } from 'node:http';
import { startApp, type TestApp, type TestAppOptions } from './app.ts';

/** The service with its edge on a port of 127.0.0.1, so that withdrawn addresses can be asked for. */
export interface ServedApp {
  readonly app: TestApp;
  /** What a viewer is answered at a path below `/cdn/`. */
  status(path: string): Promise<number>;
  close(): Promise<void>;
}

export async function startServedApp(options: TestAppOptions = {}): Promise<ServedApp> {
  let app: TestApp | null = null;
  const server = createServer((req, res) => {
    if (app?.edge.handle(req, res) !== true) res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const base = `http://127.0.0.1:${port}/cdn`;
  const started = await startApp({ ...options, env: { ...options.env, CDN_URL: base } });
  app = started;
  return {
    app: started,
    async status(path) {
      const answer = await fetch(`${base}/${path}`);
      await answer.body?.cancel();
      return answer.status;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await started.close();
    },
  };
}
