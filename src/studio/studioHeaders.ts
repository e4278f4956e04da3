/**
 * What the page may do, wherever it is served from: load its own files and talk to its own server, and nothing else. No script of
 * another origin or within the page, no form. WebAssembly needs 'wasm-unsafe-eval'; figures are saved by way of blob: addresses.
 * It stands in the markup of the built page, as a plain file server sends no headers.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Headers of everything that the Studio serves. A frame around the page can be forbidden only here. */
export const STUDIO_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `${PAGE_POLICY}; frame-ancestors 'none'`,
  // Both together make the page cross-origin isolated, without which WebAssembly has one thread.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
