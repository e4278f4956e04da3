/** What the hub says of a file before it is fetched, and what its refusals mean. */
import { HubError } from './hubError.js';
import { knownSpelling } from './knownModels.js';
import { checkCommit, contentName, isCommit } from './names.js';
import { type Connection, type HubResponse, send } from './requests.js';

/** A file of a repository. */
export interface FileAddress {
  readonly repository: string;
  readonly revision: string;
  readonly file: string;
}

export interface FileMetadata {
  /** What the revision stands for. */
  readonly commit: string;
  /** Names the content, in the cache's `blobs/`: SHA-256, or git's SHA-1 of a small file. */
  readonly content: string;
  readonly bytes?: number;
}

/** Where a file is. The hub wants the slashes of a revision escaped and those of a file not. */
export function fileUrl(endpoint: string, { repository, revision, file }: FileAddress): string {
  return `${endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${file.split('/').map(encodeURIComponent).join('/')}`;
}

/**
 * Asks for a file's commit, hash and size. A large file's are in the headers of the redirect to its server.
 * @throws HubError for a repository, revision or file that is not there or not given, told apart; PassingFailure
 */
export async function fileMetadata(connection: Connection, address: FileAddress): Promise<FileMetadata> {
  const url = fileUrl(connection.endpoint, address);
  const response = await send(connection, 'HEAD', url, {}, (headers) => headers.has('x-repo-commit'));
  await response.discard();
  const isRedirect = response.status >= 300 && response.status < 400;
  if (!isRedirect && response.status !== 200) throw refusal(response, address, connection);
  const { headers } = response;
  const commit = headers.get('x-repo-commit');
  const etag = headers.get('x-linked-etag') ?? headers.get('etag');
  if (!commit || !etag) {
    throw new HubError('protocol', `${url} gives no ${commit ? 'ETag' : 'X-Repo-Commit'}`, {
      subject: url,
      expected: 'the headers of a hub',
      advice: 'Check HF_ENDPOINT and the proxy: something else than a hub answers there',
    });
  }
  const isPlain = (headers.get('content-encoding') ?? 'identity') === 'identity';
  const size = headers.get('x-linked-size') ?? (isRedirect || !isPlain ? null : headers.get('content-length'));
  return {
    commit: checkCommit(commit, url),
    content: contentName(etag, url),
    ...(size !== null && /^\d{1,15}$/.test(size) && { bytes: Number(size) }),
  };
}

/** The files of a repository, or undefined when the hub does not say; for messages. */
export async function listFiles(
  connection: Connection,
  { repository, revision }: Omit<FileAddress, 'file'>,
): Promise<readonly string[] | undefined> {
  const url = `${connection.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
  try {
    const response = await send(connection, 'GET', url);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.chunks()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > LONGEST_LIST) return undefined;
    }
    const { siblings } = JSON.parse(text) as { siblings?: unknown };
    if (response.status !== 200 || !Array.isArray(siblings)) return undefined;
    return siblings.map((sibling) => String(sibling?.rfilename));
  } catch {
    return undefined;
  }
}

const LONGEST_LIST = 4_000_000;

/** A file that is not in the repository: an answer rather than an error. */
export class FileAbsent extends HubError {
  /** Where the hub says so. */
  readonly commit?: string;

  constructor(address: FileAddress, commit: string | undefined) {
    super('fileNotFound', `${address.repository} has no file ${address.file} at ${address.revision}`, {
      subject: address.repository,
      found: address.file,
      expected: 'a file of the repository',
      status: 404,
    });
    this.commit = commit;
  }
}

/**
 * The error for an answer that is no success. The hub's `x-error-code` tells a repository, a revision and a file that do
 * not exist apart; it answers 401 for a repository that does not exist, lest one learn which private ones do.
 */
export function refusal(response: HubResponse, address: FileAddress, connection: Connection): HubError {
  const { status, headers } = response;
  const { repository, revision } = address;
  const code = headers.get('x-error-code');
  const words = headers.get('x-error-message')?.slice(0, 300);
  const page = `${connection.endpoint}/${repository}`;
  const details = { subject: repository, status };
  const token = connection.token ? 'the token that was sent' : 'no token';
  if (code === 'EntryNotFound') return absentFile(address, headers);
  if (code === 'RevisionNotFound') {
    return new HubError('revisionNotFound', `${repository} has no revision ${JSON.stringify(revision)}`, {
      ...details,
      found: revision,
      expected: 'a branch, a tag or a commit',
      advice: `Look at ${page}/commits/main, or leave the revision out`,
    });
  }
  if (code === 'GatedRepo') {
    return new HubError('gated', `${repository} is gated: its owner gives access on request (${token})`, {
      ...details,
      expected: 'a token with access',
      advice: `Ask for access at ${page} and give a token of the same account, in HF_TOKEN or with \`hf auth login\``,
    });
  }
  if (code === 'RepoNotFound' || (status === 401 && !/credential|password|token/i.test(words ?? ''))) {
    const known = knownSpelling(repository);
    const meant = known === undefined ? '' : `; did you mean ${known}?`;
    return new HubError(
      'repositoryNotFound',
      `there is no repository ${repository} at ${connection.endpoint}${meant}`,
      {
        ...details,
        found: repository,
        ...(known !== undefined && { expected: known }),
        advice: `Check the name; if it is private, give a token that may read it in HF_TOKEN (${token} now)`,
      },
    );
  }
  if (status === 401 || status === 403) {
    return new HubError(
      'refused',
      `${response.url.origin} refuses ${repository} (${status}${words ? `: ${words}` : ''})`,
      {
        ...details,
        expected: 'a token that may read the repository',
        advice: connection.token ? 'Check the token in HF_TOKEN' : 'Give a token in HF_TOKEN or with `hf auth login`',
      },
    );
  }
  // Mirrors made of plain files give no code. Of a commit we know that it exists, so the file is what is missing.
  const isHub = response.url.origin === new URL(connection.endpoint).origin;
  if (status === 404 && isHub && (headers.has('x-repo-commit') || isCommit(revision))) {
    return absentFile(address, headers);
  }
  return new HubError(
    'protocol',
    `${response.url.origin} answered ${status} for ${address.file} of ${repository}${words ? `: ${words}` : ''}`,
    {
      ...details,
      found: status,
      advice: 'Check HF_ENDPOINT and the proxy',
    },
  );
}

function absentFile(address: FileAddress, headers: Headers): FileAbsent {
  const commit = headers.get('x-repo-commit');
  return new FileAbsent(address, commit && isCommit(commit) ? commit : undefined);
}
