/**
 * Names as they travel between the hub and the disk. A server can send any name; only those that stay inside the cache
 * folder, on every system, get past here.
 */
import { HubError } from './hubError.js';

const REPOSITORY_PART = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?$/;
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * Why a word cannot be the name of a repository, `name` or `owner/name`; undefined when it can. The hub's own rules:
 * letters, digits, `-`, `_`, `.`; neither `--`, which separates owner and name in the cache, nor `..`.
 */
export function repositoryNameProblem(name: string): string | undefined {
  const parts = name.split('/');
  if (name === '') return 'it is empty';
  if (parts.length > 2) return 'it has more than one slash';
  if (/--|\.\./.test(name)) return 'it has -- or .. in it';
  if (name.endsWith('.git')) return 'it ends in .git';
  if (name.length > 96) return 'it has more than 96 characters';
  return parts.every((part) => REPOSITORY_PART.test(part))
    ? undefined
    : 'owner and name are letters, digits, -, _ and ., with no - or . at their ends';
}

/** @throws HubError for what cannot be the name of a repository */
export function checkRepositoryName(name: string): string {
  const problem = repositoryNameProblem(name);
  if (problem === undefined) return name;
  throw new HubError('name', `${JSON.stringify(name)} is not the name of a repository: ${problem}`, {
    subject: 'repository',
    found: name,
    expected: 'owner/name, such as google/electra-small-discriminator',
  });
}

/** Folder of a model repository in the cache: `models--owner--name`. */
export function repositoryFolder(repository: string): string {
  return ['models', ...repository.split('/')].join('--');
}

/** Whether a revision is a commit already, so that nothing needs to be asked about it. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** @throws HubError unless it is a commit in full, as the hub names it */
export function checkCommit(commit: string, source: string): string {
  if (isCommit(commit)) return commit;
  throw new HubError('protocol', `${source} gives ${JSON.stringify(commit)} as the commit`, {
    subject: source,
    found: commit,
    expected: '40 hexadecimal digits',
    advice: 'Check HF_ENDPOINT: what answers there is not a hub',
  });
}

/**
 * A branch, tag or commit; it becomes a path below `refs/`.
 * @throws HubError for what git refuses as well, or what would leave that folder
 */
export function checkRevision(revision: string): string {
  const problem = pathProblem(revision);
  if (problem === undefined) return revision;
  throw new HubError('name', `${JSON.stringify(revision)} is not a revision: ${problem}`, {
    subject: 'revision',
    found: revision,
    expected: 'a branch, a tag or a commit, such as main',
  });
}

/**
 * A file of a repository, relative, with slashes; it becomes a path below `snapshots/`.
 * @param source  who named it, for the message
 * @throws HubError for a name that would lead out of the cache on this or another system
 */
export function checkFileName(name: string, source: string): string {
  const problem = pathProblem(name);
  if (problem === undefined) return name;
  throw new HubError('name', `${source} names the file ${JSON.stringify(name)}, which is refused: ${problem}`, {
    subject: source,
    found: name,
    expected: 'a relative path inside the repository',
    advice: 'Nothing was written; tell the owner of the repository',
  });
}

/**
 * The hub's name for a file's content, out of an ETag header: the SHA-256 of a large file, git's SHA-1 of a small one.
 * It becomes a file name below `blobs/`.
 */
export function contentName(etag: string, source: string): string {
  const name = etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/.test(name)) return name;
  throw new HubError('protocol', `${source} gives the ETag ${JSON.stringify(etag)}`, {
    subject: source,
    found: etag,
    expected: 'a hash',
    advice: 'Check HF_ENDPOINT: what answers there is not a hub',
  });
}

/** Why a relative path is not one that is safe everywhere. Windows' rules hold on all systems: caches are moved around. */
function pathProblem(path: string): string | undefined {
  if (path === '') return 'it is empty';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and its like are what is looked for
  if (/[\0-\x1f\x7f]/.test(path)) return 'it has a control character';
  if (path.includes('\\')) return 'it has a backslash';
  if (path.includes(':')) return 'it has a colon';
  if (path.startsWith('/')) return 'it is an absolute path';
  const parts = path.split('/');
  if (parts.includes('')) return 'it has an empty part';
  if (parts.some((part) => /^\.{1,2}$/.test(part))) return 'it has . or .. as a part';
  // Windows drops dots and spaces at the end: `.. ` and `...` mean `..` to some of its calls.
  if (parts.some((part) => /[. ]$/.test(part))) return 'a part ends in a dot or a space';
  if (parts.some((part) => new TextEncoder().encode(part).length > 255)) return 'a part is longer than 255 bytes';
  return undefined;
}
