/** Requests for tests as `fetch` cannot make them: with any Host, any path, and in pieces. */
import { request } from 'node:http';

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly chunked?: boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}

/** Sends JSON, unless the headers say otherwise. */
export function sendRaw(
  url: string,
  { method = 'POST', path = '/', headers = {}, body = '{}', chunked = false }: Sent = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/json', ...headers };
    const length = chunked || method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ hostname, port, method, path, headers: { ...all, ...length } }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    });
    sent.on('error', reject);
    if (method !== 'GET') sent.write(body);
    sent.end();
  });
}
