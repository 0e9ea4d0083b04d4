import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm start` listens: the API while the pages are worked on with `npm run dev:web`. */
const SERVICE = 'http://127.0.0.1:8787';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    target: 'es2022',
    // Nothing is inlined as a data: URL, so that the content security policy can stay strict.
    assetsInlineLimit: 0,
    // The preload helper would add inline style elements for lazily loaded CSS on old browsers only.
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/v1', '/cdn', '/dev'].map((path) => [path, SERVICE])),
  },
});
