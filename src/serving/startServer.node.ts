/** The server for users of the library, who load what it stands on only when they start one. */
import type { RunningServer, startServer as start } from './server.node.js';

export type { RunningServer, ServeOptions } from './server.node.js';

/**
 * Puts models behind a port (docs/serving.md).
 *
 *     const server = await startServer(['qa=runs/qa'], { port: 8080 });
 *     await server.loaded;
 *     await server.stop();
 *
 * @throws SettingsError naming all that is wrong; CheckpointError or HubError when there is no such place
 */
export async function startServer(...words: Parameters<typeof start>): Promise<RunningServer> {
  const server = await import('./server.node.js');
  return server.startServer(...words);
}
