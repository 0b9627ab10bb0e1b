import { defineConfig } from 'vite';

export default defineConfig({
  // The Rust program serves dist/ under this path, and nothing else of the console.
  base: '/console/',
  build: {
    sourcemap: false,
    // Monaco (the editor) is one chunk of several megabytes; it loads after the sign-in form.
    chunkSizeWarningLimit: 4096,
    modulePreload: { polyfill: false },
    // Hundreds of "use client" lines, which mean nothing here, would hide a real warning.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    // The bundled packages are MIT and the like: their notices must travel with the copy.
    license: { fileName: 'licenses.md' },
  },
});
