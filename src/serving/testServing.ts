/** Model folders and servers for tests: tiny models of random weights behind a port of this machine. */
import { join } from 'node:path';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { saveModelFolder } from '../checkpoint/modelFolder.node.js';
import type { Architecture } from '../models/config.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from '../pipelines/testModels.js';
import { MARKERS_FIELD } from '../tasks/relation/markers.js';
import { type RunningServer, type ServeOptions, startServer } from './server.node.js';

/** A folder for each kind of model, by the id that it is served under. */
const KINDS: Readonly<Record<string, readonly [Architecture, Partial<ModelDescription>?]>> = {
  qa: ['ElectraForQuestionAnswering'],
  filler: ['ElectraForMaskedLM'],
  tagger: ['ElectraForTokenClassification', { labels: ['O', 'B-LOC', 'I-LOC'] }],
  reviews: ['ElectraForSequenceClassification', { labels: ['bad', 'fair', 'good'] }],
  reranker: ['ElectraForSequenceClassification', { labels: ['relevant'] }],
  encoder: ['ElectraModel'],
  detector: ['ElectraForPreTraining'],
  chooser: ['ElectraForMultipleChoice'],
  relations: [
    'ElectraForSequenceClassification',
    {
      labels: ['none', 'eats'],
      pleiad: { objective: 'relation', [MARKERS_FIELD]: { head: ['.', '.'], tail: ['e', 'e'] } },
    },
  ],
};

export const TEST_MODELS = Object.keys(KINDS);

/** @param scale  of the weights: a model of another scale gives other results */
export async function saveTestModel(folder: string, kind: string, scale = 1): Promise<string> {
  const [architecture, changes = {}] = KINDS[kind];
  const { graph, weights } = testModel(architecture, changes);
  const tensors = new Map(
    graph.parameters.map(({ name, shape }) => [
      name,
      { shape, data: weights.get(name)!.map((value) => value * scale) },
    ]),
  );
  const description = { ...changes, architecture, config: TEST_CONFIG, tokenizer: TEST_TOKENIZER };
  await saveModelFolder(folder, { ...description, tensors });
  return folder;
}

/** @returns words for `startServer` */
export async function saveTestModels(folder: string, kinds: readonly string[] = TEST_MODELS): Promise<string[]> {
  for (const kind of kinds) await saveTestModel(join(folder, kind), kind);
  return kinds.map((kind) => join(folder, kind));
}

/** An ELECTRA pair. @returns its folder */
export async function saveTestPair(folder: string): Promise<string> {
  await saveTestModel(join(folder, 'discriminator'), 'detector');
  await saveTestModel(join(folder, 'generator'), 'filler');
  return folder;
}

export interface TestServer extends RunningServer {
  /** Posts JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Posted>;
  get(path: string, headers?: Record<string, string>): Promise<Posted>;
}

export interface Posted {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare it, whatever it is
  readonly json: any;
  readonly text: string;
  readonly headers: Headers;
}

/** A server at a free port, whose models are loaded; it looks at no folder by itself. */
export async function testServer(
  words: readonly string[],
  settings: object = {},
  options: ServeOptions = {},
): Promise<TestServer> {
  const server = await startServer(
    words,
    { port: 0, reload: 0, ...settings },
    { threads: 1, environment: {}, ...options },
  );
  await server.loaded;
  const ask = async (path: string, init: RequestInit): Promise<Posted> => {
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined, headers: response.headers };
  };
  return {
    ...server,
    post: (path, body, headers) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (path, headers) => ask(path, { headers }),
  };
}
