/** A model by name or folder. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '../errors/errors.js';
import { type FileNeed, type HubDependencies, HubRepository } from './hub.node.js';
import { HubError } from './hubError.js';
import { type FileSource, gatherModelFiles, type ModelFiles, READ_WHOLE, type WeightFormat } from './modelFiles.js';
import { boxedFolder } from './modelsPackage.node.js';
import { repositoryNameProblem } from './names.js';
import type { HubOptions } from './settings.node.js';

export interface FetchModelOptions extends HubOptions, HubDependencies {
  /** Branch, tag or commit. Default main. */
  readonly revision?: string;
  /** Formats of weights that will do, in order of preference; none where no weights are wanted. Default safetensors, then pytorch. */
  readonly formats?: readonly WeightFormat[];
  /** Further files to fetch where they are there, such as README.md. Default none. */
  readonly also?: readonly string[];
}

export interface FetchedModel extends ModelFiles {
  /** Where the model is: the folder that was given, or a snapshot in the cache. */
  readonly folder: string;
  /** Of a model that came by name. */
  readonly hub?: {
    readonly repository: string;
    readonly revision: string;
    readonly commit: string;
    /** Whether anything was fetched; else all of it was in the cache. */
    readonly fetched: boolean;
    /** Why the hub was not asked, or not to the end. */
    readonly notAsked?: string;
  };
}

const DEFAULT_FORMATS: readonly WeightFormat[] = ['safetensors', 'pytorch'];

/**
 * Makes a model available as a folder. A folder that exists is taken as it is, and a model in the box by its plain name; another word is the name of a repository on
 * the hub, whose config, weights and tokenizer are fetched into the cache that Python's huggingface_hub shares with us.
 * @throws HubError when there is neither a folder nor a repository of that name, or it cannot be fetched
 */
export async function fetchModel(nameOrFolder: string, options: FetchModelOptions = {}): Promise<FetchedModel> {
  const { revision = 'main', formats = DEFAULT_FORMATS, also = [], clock, onHubEvent, signal, ...hubOptions } = options;
  const there = statSync(nameOrFolder, { throwIfNoEntry: false });
  const local = there?.isDirectory() ? nameOrFolder : there ? undefined : boxedFolder(nameOrFolder);
  if (local !== undefined) return { folder: local, ...(await gatherModelFiles(folderSource(local), formats)) };
  checkIsName(nameOrFolder, there !== undefined);
  const repository = new HubRepository(nameOrFolder, hubOptions, { clock, onHubEvent, signal });
  const source = new RepositorySource(repository, revision);
  try {
    const files = await gatherModelFiles(source, formats);
    if (!files.config || (!files.weights && formats.length > 0)) throw await incomplete(source, files, formats);
    for (const file of also) await source.get(file, { namedBy: 'pleiad', ...READ_WHOLE });
    return {
      folder: source.folder,
      ...files,
      hub: {
        repository: nameOrFolder,
        revision,
        commit: source.commit!,
        fetched: repository.hasFetched,
        ...(repository.silence !== undefined && { notAsked: repository.silence }),
      },
    };
  } catch (error) {
    throw error instanceof HubError && source.commit === undefined ? neitherNor(nameOrFolder, error) : error;
  }
}

function folderSource(folder: string): FileSource {
  return {
    name: folder,
    get: async (file) => existsSync(join(folder, file)),
    read: (file) => readFileSync(join(folder, file), 'utf8'),
  };
}

/** Files of one commit: the first answer says which, and all others are asked of that. */
class RepositorySource implements FileSource {
  readonly repository: HubRepository;
  readonly revision: string;
  /** Undefined until the hub or the cache has said it. */
  commit?: string;
  /** Files that could not be asked for. */
  readonly unknown: string[] = [];

  constructor(repository: HubRepository, revision: string) {
    this.repository = repository;
    this.revision = revision;
  }

  get name(): string {
    return this.repository.name;
  }

  get folder(): string {
    return this.repository.cache.snapshotFolder(this.commit!);
  }

  async get(file: string, need: FileNeed): Promise<boolean> {
    const found = await this.repository.file(file, this.commit ?? this.revision, need);
    this.commit ??= found.commit;
    if (found.state === 'unknown') this.unknown.push(file);
    return found.state === 'present';
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }
}

/** @throws CheckpointError for a word that is neither a folder nor can be the name of a repository */
function checkIsName(word: string, isFile: boolean): void {
  const isPath = isFile || /^([./~\\]|[A-Za-z]:)/.test(word) || word.endsWith('/') || word.includes('\\');
  const problem = isPath ? '' : repositoryNameProblem(word);
  if (problem === undefined) return;
  throw new CheckpointError(
    isPath
      ? `${word} is ${isFile ? 'a file' : 'not a folder'}`
      : `${word} is neither a folder nor the name of a repository: ${problem}`,
    {
      subject: word,
      found: word,
      expected: 'a folder, or a name such as google/electra-small-discriminator',
      advice: 'Check the spelling; a relative folder counts from the current one',
    },
  );
}

/** What a word that is no folder here failed as on the hub: it may have been meant as either. */
function neitherNor(word: string, cause: HubError): HubError {
  if (!['repositoryNotFound', 'unreachable', 'offline'].includes(cause.problem)) return cause;
  return new HubError(cause.problem, `${word} is no folder here, and as a name: ${cause.message}`, {
    subject: word,
    found: word,
    status: cause.status,
    expected: 'a folder, or the name of a repository',
    cause,
  });
}

/** The error for a repository without a config or weights that will do, saying what it has instead. */
async function incomplete(
  source: RepositorySource,
  { config }: ModelFiles,
  formats: readonly WeightFormat[],
): Promise<HubError> {
  const { repository, revision, commit, unknown } = source;
  const missing = config ? `weights (${formats.join(' or ')})` : 'config.json';
  if (unknown.length > 0) {
    const problem = `${repository.name} is in the cache without ${missing}, and ${repository.silence}`;
    return new HubError(repository.silenceProblem, problem, {
      subject: repository.name,
      found: unknown,
      expected: missing,
      advice: 'Allow the network once, so that the rest is fetched',
    });
  }
  const files = await repository.listFiles(commit ?? revision);
  const has = files ? `; it has ${files.slice(0, 30).join(', ')}${files.length > 30 ? ', …' : ''}` : '';
  return new HubError('fileNotFound', `${repository.name} has no ${missing} at ${revision}${has}`, {
    subject: repository.name,
    found: files,
    expected: missing,
    advice: config
      ? 'Only these formats are read; others can be asked for by name'
      : 'It does not hold a model in Hugging Face layout',
  });
}
