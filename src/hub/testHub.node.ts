/** A hub for tests: two servers on the loopback address, the hub itself and the one that large files are redirected to. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files from this size on live on the other server, as with git LFS. */
const LARGE = 1000;

export const COMMIT = 'a'.repeat(40);
export const NEXT_COMMIT = 'b'.repeat(40);

export interface SeenRequest {
  readonly server: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly authorization?: string;
  readonly range?: string;
  readonly ifRange?: string;
}

/** What a server does instead of answering well; true when it has answered. */
export type Fault = (request: IncomingMessage, response: ServerResponse, body?: Buffer) => boolean | Promise<boolean>;

interface Repository {
  /** Files of each commit. */
  readonly commits: Map<string, Map<string, Buffer>>;
  readonly refs: Map<string, string>;
  gated?: boolean;
  /** Token without which it seems not to exist. */
  token?: string;
}

export class TestHub {
  readonly repositories = new Map<string, Repository>();
  readonly requests: SeenRequest[] = [];
  /** Each is used for one request that it matches, in order. */
  readonly faults: { server: 'hub' | 'cdn'; path: RegExp; method?: string; act: Fault }[] = [];
  /** Old name of a repository → new one. */
  readonly renamed = new Map<string, string>();
  /** Names files that the repository does not have under their hash. */
  etag: (body: Buffer) => string = (body) =>
    body.length < LARGE ? gitHash(body) : createHash('sha256').update(body).digest('hex');
  readonly #hub = createServer((request, response) => void this.#answer('hub', request, response));
  readonly #cdn = createServer((request, response) => void this.#answer('cdn', request, response));

  /** Where the hub is; still the same when it is stopped. */
  endpoint = '';
  #cdnAddress = '';

  async start(): Promise<void> {
    this.endpoint = await listen(this.#hub);
    this.#cdnAddress = await listen(this.#cdn);
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** A repository with `main` at COMMIT. */
  add(name: string, files: Readonly<Record<string, string | Buffer>>): Repository {
    const contents = new Map(Object.entries(files).map(([file, body]) => [file, Buffer.from(body)]));
    const repository = { commits: new Map([[COMMIT, contents]]), refs: new Map([['main', COMMIT]]) };
    this.repositories.set(name, repository);
    return repository;
  }

  /** Requests as `hub HEAD config.json`, for files, without what comes before the revision. */
  get log(): string[] {
    return this.requests.map(({ server, method, path, range }) =>
      [server, method, path.replace(/^.*\/resolve\/[^/]+\//, ''), ...(range ? [range] : [])].join(' '),
    );
  }

  async #answer(server: 'hub' | 'cdn', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '', headers } = request;
    // A connection kept for later would be found broken rather than refused once the hub is stopped.
    response.setHeader('connection', 'close');
    const { authorization, range } = headers;
    this.requests.push({
      server,
      method,
      path: url,
      authorization,
      range,
      ifRange: headers['if-range'] as string | undefined,
    });
    const found = server === 'hub' ? undefined : this.#byHash(url);
    const at = this.faults.findIndex(
      (fault) => fault.server === server && fault.path.test(url) && (fault.method ?? method) === method,
    );
    if (at >= 0) {
      const [{ act }] = this.faults.splice(at, 1);
      if (await act(request, response, found)) return;
    }
    if (server === 'hub') this.#asHub(request, response);
    else if (found) sendBody(request, response, found, `"${createHash('md5').update(found).digest('hex')}"`);
    else fail(response, 404);
  }

  #asHub(request: IncomingMessage, response: ServerResponse): ServerResponse {
    const url = request.url ?? '';
    const api = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(url);
    const resolve = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(url);
    const [, name, revision, file] = (api ?? resolve ?? ['', '', '', '']).map((part) => decodeURIComponent(part ?? ''));
    const newName = this.renamed.get(name);
    if (newName) {
      return response.writeHead(307, { location: url.replace(`/${name}/`, `/${newName}/`) }).end();
    }
    const repository = this.repositories.get(name);
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (token === 'wrong') return fail(response, 401, undefined, 'Invalid credentials in Authorization header');
    if (!repository || (repository.token && repository.token !== token)) return fail(response, 401, 'RepoNotFound');
    if (repository.gated) return fail(response, token ? 403 : 401, 'GatedRepo');
    const commit = repository.refs.get(revision) ?? revision;
    const files = repository.commits.get(commit);
    if (!files) return fail(response, 404, 'RevisionNotFound');
    if (api) {
      response.writeHead(200, { 'content-type': 'application/json' });
      const siblings = [...files.keys()].map((rfilename) => ({ rfilename }));
      return response.end(JSON.stringify({ sha: commit, siblings }));
    }
    response.setHeader('X-Repo-Commit', commit);
    const body = files.get(file);
    if (!body) return fail(response, 404, 'EntryNotFound', `${file} does not exist`);
    const etag = this.etag(body);
    if (body.length < LARGE) return sendBody(request, response, body, `"${etag}"`);
    const location = `${this.#cdnAddress}/${createHash('sha256').update(body).digest('hex')}?signed=yes`;
    response.writeHead(302, {
      location,
      'X-Linked-Etag': `"${etag}"`,
      'X-Linked-Size': body.length,
      etag: '"redirect"',
    });
    return response.end('Found. Redirecting');
  }

  #byHash(url: string): Buffer | undefined {
    const bodies = [...this.repositories.values()].flatMap(({ commits }) => [...commits.values()]);
    const all = bodies.flatMap((files) => [...files.values()]);
    return all.find((body) => url.startsWith(`/${createHash('sha256').update(body).digest('hex')}`));
  }
}

/** Git's name of a file's content. */
export function gitHash(body: Buffer): string {
  return createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
}

/** Closes the connection in the middle. */
export function cutAfter(bytes: number): Fault {
  return (request, response, body) => {
    const whole = body ?? Buffer.alloc(2 * bytes);
    const from = startOf(request);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': whole.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }),
      etag: '"cut"',
    });
    response.write(whole.subarray(from, from + bytes), () => setImmediate(() => response.destroy()));
    return true;
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return (_request, response) => {
    response.writeHead(code, headers).end('no');
    return true;
  };
}

function fail(response: ServerResponse, code: number, errorCode?: string, message?: string): ServerResponse {
  if (errorCode) response.setHeader('X-Error-Code', errorCode);
  if (message) response.setHeader('X-Error-Message', message);
  return response.writeHead(code).end();
}

function sendBody(request: IncomingMessage, response: ServerResponse, body: Buffer, etag: string): ServerResponse {
  const asked = request.headers['if-range'];
  const from = asked === undefined || asked === etag ? startOf(request) : 0;
  response.setHeader('etag', etag);
  response.setHeader('accept-ranges', 'bytes');
  if (from >= body.length && from > 0) {
    return response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
  }
  if (from > 0) response.setHeader('content-range', `bytes ${from}-${body.length - 1}/${body.length}`);
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length - from });
  return response.end(request.method === 'HEAD' ? undefined : body.subarray(from));
}

function startOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
