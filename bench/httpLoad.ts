/** Clients that ask a server one request after the other, each over a connection of its own that stays. */
import { type Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PleiadError } from '../src/errors/errors.js';

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
  const requests = bodies.map((body) => requestOf(url, body));
  const begin = performance.now() + Math.min(1000, 500 * seconds);
  const end = begin + 1000 * seconds;
  const times: number[] = [];
  let [next, failed] = [0, 0];
  const client = async () => {
    const connection = await Connection.open(url);
    // On a machine that is busy elsewhere none may have been sent in time: one is waited for.
    while (performance.now() < end || times.length === 0) {
      const sentAt = performance.now();
      const status = await connection.send(requests[next++ % requests.length]);
      if (sentAt < begin) continue;
      times.push(performance.now() - sentAt);
      if (status !== 200) failed++;
      if (status === 0) break;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsedSeconds = (performance.now() - begin) / 1000;
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    perSecond: times.length / elapsedSeconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    failed,
  };
}

/** A request as it goes over the wire. */
function requestOf(url: string, body: string): Buffer {
  const { host } = new URL(url);
  const head = `POST /embed HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
  return Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * A connection that stays, for one request after the other. It does as little as HTTP allows, for a client of node:http takes
 * a good part of the cores that it shares with the server. Answers need a content-length; their bodies are not kept.
 */
class Connection {
  readonly #socket: Socket;
  #head = '';
  /** Bytes of the answer that are to come, once its head is there. */
  #left?: number;
  #status = 0;
  #done?: (status: number) => void;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (part) => this.#read(part));
    socket.on('error', () => this.#answer(0));
    socket.on('close', () => this.#answer(0));
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** @returns the status of the answer; 0 when the connection ended without one */
  send(request: Buffer): Promise<number> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve(0);
      this.#done = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(part: Buffer): void {
    let size = part.length;
    if (this.#left === undefined) {
      const before = this.#head.length;
      this.#head += part.toString('latin1');
      const end = this.#head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const head = this.#head.slice(0, end);
      const [, length] = /^content-length: *(\d+)/im.exec(head) ?? [];
      if (length === undefined) throw new PleiadError('the answer has no content-length', { found: head });
      this.#status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
      this.#left = Number(length);
      size -= end + END_OF_HEAD.length - before;
    }
    this.#left -= size;
    if (this.#left <= 0) this.#answer(this.#status);
  }

  #answer(status: number): void {
    const done = this.#done;
    this.#done = undefined;
    this.#left = undefined;
    this.#head = '';
    done?.(status);
  }
}

/** Of sorted values. */
function quantile(sorted: readonly number[], fraction: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))];
}
