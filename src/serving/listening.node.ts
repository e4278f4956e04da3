/** From a function of Request to a port of this machine. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as listen } from '@hono/node-server';
import { PleiadError } from '../errors/errors.js';
import { settingWith } from '../settings/settingNames.js';
import type { ServingSettings } from './servingSettings.js';

/**
 * Listens at a port.
 * @throws PleiadError when it is taken, or the address is none of this machine
 */
export async function listening(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, timeout }: Pick<ServingSettings, 'host' | 'port' | 'timeout'>,
) {
  const server = await new Promise<Server>((resolve, reject) => {
    // A client that sends its body drop by drop is no more patient than the server.
    const serverOptions = { requestTimeout: Math.max(1000, timeout * 1000) };
    const started = listen({ fetch, hostname: host, port, serverOptions }, () => resolve(started)) as Server;
    started.once('error', (error) => reject(notListening(error, host, port)));
  });
  const { address, family, port: got } = server.address() as AddressInfo;
  return { server, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${got}` };
}

function notListening(cause: NodeJS.ErrnoException, host: string, port: number): PleiadError {
  const isTaken = cause.code === 'EADDRINUSE';
  return new PleiadError(
    isTaken
      ? `port ${port} of ${host} is taken by another program`
      : `${host}:${port} cannot be listened at: ${cause.message}`,
    {
      subject: 'port',
      found: port,
      cause,
      advice: `Give another one: ${settingWith('port', isTaken ? port + 1 : 8080)}`,
    },
  );
}
