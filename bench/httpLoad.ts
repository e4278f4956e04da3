/** Clients that ask a server one request after the other, each over a connection of its own that stays. */
import { Agent, request } from 'node:http';

export interface Reply {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

export interface AskOptions {
  readonly agent: Agent;
  readonly body: string;
  readonly path?: string;
  readonly signal?: AbortSignal;
}

/** Posts JSON; never rejects. */
export function ask(url: string, { agent, body, path = '/embed', signal }: AskOptions): Promise<Reply> {
  const startedAt = performance.now();
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const done = (status: number, text: string) => resolve({ status, text, ms: performance.now() - startedAt });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ hostname, port, path, method: 'POST', agent, headers, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => done(response.statusCode ?? 0, Buffer.concat(parts).toString()));
      response.on('error', (error) => done(0, error.message));
    });
    sent.on('error', (error) => done(0, error.message));
    sent.end(body);
  });
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers of another status than 200. */
  readonly failed: number;
}

/** So many clients for so many seconds, after a first second that does not count. */
export async function loadOf(
  url: string,
  {
    clients,
    seconds,
    bodies,
  }: { readonly clients: number; readonly seconds: number; readonly bodies: readonly string[] },
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const begin = performance.now() + Math.min(1000, 500 * seconds);
  const end = begin + 1000 * seconds;
  const times: number[] = [];
  let [next, failed] = [0, 0];
  const client = async () => {
    while (performance.now() < end) {
      const sentAt = performance.now();
      const { status, ms } = await ask(url, { agent, body: bodies[next++ % bodies.length] });
      if (sentAt < begin) continue;
      times.push(ms);
      if (status !== 200) failed++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsedSeconds = (performance.now() - begin) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    perSecond: times.length / elapsedSeconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    failed,
  };
}

/** Of sorted values. */
function quantile(sorted: readonly number[], fraction: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))];
}
