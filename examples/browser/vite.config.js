import { defineConfig } from 'vite';

// Any port will do: in development, a Lyceum server lets every page of this machine call it.
export default defineConfig({
  server: { host: '127.0.0.1', port: 5173 },
  // Found at the start instead of at the first click.
  optimizeDeps: { include: ['graphql-ws', 'hls.js'] },
});
