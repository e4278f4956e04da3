/**
 * A model as one page: engine, weights in 8 bits, tokenizer and a small page in one file that opens from disk. What the reader
 * types stays on his machine: the page's own policy lets it speak to nobody.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { CheckpointError, PleiadError, SettingsError } from '../errors/errors.js';
import { writeFileDurably } from '../files/durableFile.node.js';
import type { Architecture } from '../models/config.js';
import { givesNumbers } from '../pipelines/textClassification.js';
import { type Conversion, type ConvertOptions, convertModel, convertPair } from '../pretrained/convert.node.js';
import { innerPlace, membersOf, resolveCheckpoint, trainedLength } from '../pretrained/modelPlaces.node.js';
import type { StoredDtype } from '../pretrained/pretrained.node.js';
import { escapeMarkup } from '../tasks/report/html/escapeMarkup.js';
import { VERSION } from '../version.js';
import {
  BLOB_PREFIX,
  DATA_ID,
  ENGINE_BLOB,
  type SharedFolder,
  type SharedPageData,
  type SharedTask,
  sharedTaskOf,
} from './sharedPageData.js';
import type { StudioRole } from './studioCall.js';

export interface SharePageOptions extends Omit<ConvertOptions, 'dtype' | 'half' | 'roles'> {
  /** Heading of the page. Default: the name of the model's folder. */
  readonly title?: string;
  /** Type of the weights in the page. Default int8, a quarter of float32. */
  readonly dtype?: StoredDtype;
  /** Whether a file of the page's name is replaced. Default false. */
  readonly overwrite?: boolean;
}

export interface SharedPage {
  readonly task: SharedTask;
  /** Classes of the models in it. */
  readonly architectures: readonly Architecture[];
  readonly dtype: StoredDtype;
  /** Of the whole file. */
  readonly bytes: number;
  /** What they are spent on. */
  readonly parts: { readonly engine: number; readonly model: number; readonly page: number };
  /** What 8 bits did to the matrices: root mean square of the errors over that of the weights. */
  readonly relativeError: number;
}

/**
 * Writes a model as one page.
 * @param place  as `convertModel`; a pair with its generator becomes a page that also proposes words
 * @param out    the file to write, such as `page.html`
 * @throws CheckpointError for a model that no page has a use for, or that has no tokenizer
 * @throws SettingsError when the file is there already
 */
export async function sharePage(place: string, out: string, options: SharePageOptions = {}): Promise<SharedPage> {
  const { title, dtype = 'int8', overwrite = false, ...loading } = options;
  if (existsSync(out) && !overwrite) {
    throw new SettingsError([`${out} is there already; give another name, or remove it first`]);
  }
  const prebuilt = readPrebuilt();
  const folder = mkdtempSync(join(tmpdir(), 'pleiad-share-'));
  try {
    const models = await convertInto(join(folder, 'model'), place, { ...loading, dtype });
    const [main] = models;
    const task = taskOf(main, place);
    requireTokenizers(models, place);
    const files: SharedFolder[] = [];
    const blobs = new Map<string, string>();
    for (const model of models) files.push(await packFolder(model, blobs));
    const engine = await packed(readFileSync(runtimeFile()));
    const data: SharedPageData = {
      task,
      title: title ?? basename(resolve(place)),
      id: 'model',
      folders: files,
      isKorean: isKorean(main.conversion),
      givesNumbers: task === 'classify' && givesNumbers({ description: main.conversion.model.model }),
      version: VERSION,
    };
    const html = pageText(data, new Map([[ENGINE_BLOB, engine], ...blobs]), prebuilt);
    const { bytes } = await writeFileDurably(out, [html]);
    const model = [...blobs.values()].reduce((sum, { length }) => sum + length, 0);
    return {
      task,
      architectures: files.map(({ architecture }) => architecture),
      dtype,
      bytes,
      parts: { engine: engine.length, model, page: bytes - engine.length - model },
      relativeError: Math.max(...models.map(({ conversion }) => conversion.eightBit.relativeError)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ConvertedModel {
  readonly role: StudioRole;
  readonly folder: string;
  readonly conversion: Conversion;
}

/** @returns the model that the page is about first */
async function convertInto(folder: string, place: string, options: ConvertOptions): Promise<ConvertedModel[]> {
  if (isPair(place) && options.task === undefined && options.architecture === undefined) {
    const { discriminator, generator } = await convertPair(place, folder, options);
    return [
      { role: 'discriminator', folder: join(folder, 'discriminator'), conversion: discriminator },
      { role: 'generator', folder: join(folder, 'generator'), conversion: generator },
    ];
  }
  const conversion = await convertModel(place, folder, options);
  return [{ role: 'model', folder, conversion }];
}

/** Whether both halves of an ELECTRA lie there. */
function isPair(place: string): boolean {
  if (!existsSync(place)) return false;
  const found = innerPlace(place);
  const checkpoint = resolveCheckpoint(found) ?? found;
  const members = existsSync(join(checkpoint, 'trainer.json')) ? readdirSync(checkpoint) : namesOf(membersOf(found));
  return members.includes('generator') && members.includes('discriminator');
}

const namesOf = (paths: readonly string[]) => paths.map((path) => basename(path));

/** @throws CheckpointError saying what the model is and what to do with it */
function taskOf({ conversion: { model } }: ConvertedModel, place: string): SharedTask {
  const { architecture, pleiad } = model.model;
  const task = sharedTaskOf(architecture);
  if (task && pleiad?.objective !== 'relation') return task;
  throw new CheckpointError(`${place} is ${architecture}${task ? ' for relations' : ''}, which no page shows`, {
    subject: place,
    found: architecture,
    expected: 'a model that answers questions, labels texts or words, doubts words, or fills masks',
    advice: `Fine-tune it first: pleiad finetune --task question-answering --from ${place} --train FILE --out FOLDER`,
  });
}

function requireTokenizers(models: readonly ConvertedModel[], place: string): void {
  if (models.every(({ conversion }) => conversion.model.tokenizer)) return;
  throw new CheckpointError(`${place} has no tokenizer, which a page needs to read texts`, {
    subject: place,
    expected: 'vocab.txt or tokenizer.json beside the weights',
    advice: 'Put the tokenizer files of the model into its folder',
  });
}

/** Adds the files of a model folder to the blobs of the page. */
async function packFolder(
  { role, folder, conversion }: ConvertedModel,
  blobs: Map<string, string>,
): Promise<SharedFolder> {
  const { architecture } = conversion.model.model;
  const maxLength = trainedLength(conversion.model.folder);
  const files: { name: string; blob: string }[] = [];
  for (const name of readdirSync(folder).sort()) {
    const blob = `${role}-${files.length}`;
    blobs.set(blob, await packed(readFileSync(join(folder, name))));
    files.push({ name, blob });
  }
  return { role, architecture, ...(maxLength !== undefined && { maxLength }), files };
}

const HANGUL = /[가-힣]/;

function isKorean({ model: { tokenizer } }: Conversion): boolean {
  if (!tokenizer) return false;
  let pieces = 0;
  for (let id = 0; id < tokenizer.vocabSize; id++) if (HANGUL.test(tokenizer.idToToken(id))) pieces++;
  return pieces > tokenizer.vocabSize / 4;
}

const compress = promisify(gzip);

/** gzip in base64: what a page can unpack by itself, and what no HTML parser reads as anything but text. */
async function packed(bytes: Uint8Array): Promise<string> {
  return (await compress(bytes, { level: 9 })).toString('base64');
}

function runtimeFile(): string {
  return join(dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm')), 'ort-wasm-simd-threaded.wasm');
}

/** dist/share/, seen from the compiled file or from its source. */
const PREBUILT = new URL(import.meta.url.endsWith('.ts') ? '../../dist/share/' : '../../share/', import.meta.url);

interface Prebuilt {
  readonly script: string;
  readonly style: string;
}

/** The page without a model, as the package has it. @throws PleiadError when it is not built */
function readPrebuilt(): Prebuilt {
  const read = (name: string) => readFileSync(new URL(name, PREBUILT), 'utf8');
  try {
    return { script: read('page.js'), style: read('page.css') };
  } catch (cause) {
    throw new PleiadError('the page that `share` fills is not built', {
      subject: 'share',
      advice: 'In a clone: `npm run build`',
      cause,
    });
  }
}

function pageText(data: SharedPageData, blobs: ReadonlyMap<string, string>, { script, style }: Prebuilt): string {
  const code = inElement(script);
  // No source but what stands in this file: the script by its digest, the worker that it makes, WebAssembly; no address at all.
  const policy = [
    "default-src 'none'",
    `script-src '${sourceHash(code)}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    `style-src '${sourceHash(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const files = [...blobs].map(
    ([name, text]) => `<script type="text/plain" id="${BLOB_PREFIX}${name}">${text}</script>\n`,
  );
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n',
    `<title>${escapeMarkup(data.title)}</title>\n<style>${style}</style>\n</head>\n<body>\n`,
    '<div id="app"></div>\n<noscript>This page computes in your browser and needs JavaScript.</noscript>\n',
    `<script type="application/json" id="${DATA_ID}">${jsonText(data)}</script>\n`,
    ...files,
    `<script type="module">${code}</script>\n</body>\n</html>\n`,
  ].join('');
}

const sourceHash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** JSON that begins no markup, whatever stands in its texts. */
function jsonText(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** A script that does not end its own element: in its strings and patterns `<\/` and `\x3c` mean `<`. */
function inElement(script: string): string {
  return script.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '\\x3c!--');
}
