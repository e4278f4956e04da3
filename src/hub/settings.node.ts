/** Where the hub and its cache are, by the environment variables of Python's huggingface_hub. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SettingsError } from '../errors/errors.js';

export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** The folder that holds `models--owner--name`. */
  readonly cacheFolder: string;
  readonly token?: string;
  /** Use what the cache holds and ask nobody. */
  readonly offline: boolean;
  /** Link snapshots to blobs, where the system can; else copy. */
  readonly symlinks: boolean;
  readonly responseTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

/** Each overrules its variable. */
export interface HubOptions {
  /** HF_ENDPOINT. Default https://huggingface.co */
  readonly endpoint?: string;
  /** HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE; else `hub` in HF_HOME, which is `huggingface` in XDG_CACHE_HOME or ~/.cache. */
  readonly cacheFolder?: string;
  /** HF_TOKEN, HUGGING_FACE_HUB_TOKEN; else the file HF_TOKEN_PATH or `token` in HF_HOME. false sends none. */
  readonly token?: string | false;
  /** HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE. */
  readonly offline?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const DEFAULT_TIMEOUT_SECONDS = 10;

/** @throws SettingsError naming the variables or options that cannot be used */
export function hubSettings(options: HubOptions = {}, environment: Environment = process.env): HubSettings {
  const problems: string[] = [];
  const home = hubHome(environment);
  const folder = options.cacheFolder ?? environment.HF_HUB_CACHE ?? environment.HUGGINGFACE_HUB_CACHE;
  const token = tokenOf(options.token, home, environment);
  if (token && /[^\x21-\x7e]/.test(token)) problems.push('the token has a space or a character that no token has');
  const settings = {
    endpoint: endpointOf(options.endpoint ?? environment.HF_ENDPOINT, problems),
    cacheFolder: resolve(folder ? expand(folder, environment) : join(home, 'hub')),
    ...(token && { token }),
    offline: options.offline ?? (isTrue(environment.HF_HUB_OFFLINE) || isTrue(environment.TRANSFORMERS_OFFLINE)),
    symlinks: !isTrue(environment.HF_HUB_DISABLE_SYMLINKS),
    responseTimeoutMs: timeout('HF_HUB_ETAG_TIMEOUT', environment, problems),
    stallTimeoutMs: timeout('HF_HUB_DOWNLOAD_TIMEOUT', environment, problems),
  };
  if (problems.length) throw new SettingsError(problems);
  return settings;
}

function hubHome(environment: Environment): string {
  const caches = environment.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return expand(environment.HF_HOME ?? join(caches, 'huggingface'), environment);
}

/** `~` and `$NAME` or `${NAME}`, as Python expands them; an unknown name stays as it is. */
function expand(path: string, environment: Environment): string {
  return path
    .replace(/^~(?=[/\\]|$)/, () => homedir())
    .replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, plain, braced) => environment[plain ?? braced] ?? whole);
}

function isTrue(word: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(word ?? '');
}

function endpointOf(word: string | undefined, problems: string[]): string {
  if (!word) return DEFAULT_ENDPOINT;
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return word.replace(/\/+$/, '');
  problems.push(`HF_ENDPOINT is ${JSON.stringify(word)}; expected an address such as ${DEFAULT_ENDPOINT}`);
  return DEFAULT_ENDPOINT;
}

function tokenOf(given: string | false | undefined, home: string, environment: Environment): string | undefined {
  if (given !== undefined) return given || undefined;
  if (isTrue(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const word = environment.HF_TOKEN || environment.HUGGING_FACE_HUB_TOKEN;
  const path = environment.HF_TOKEN_PATH ? expand(environment.HF_TOKEN_PATH, environment) : join(home, 'token');
  return (word?.trim() || readToken(path)) ?? undefined;
}

/** Most users have none; one that cannot be read is as good as none, and a repository that needs it will say so. */
function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function timeout(name: string, environment: Environment, problems: string[]): number {
  const word = environment[name] || String(DEFAULT_TIMEOUT_SECONDS);
  const seconds = Number(word);
  if (!(seconds > 0 && seconds <= 86_400)) problems.push(`${name} is ${JSON.stringify(word)}; expected seconds`);
  return seconds * 1000;
}
