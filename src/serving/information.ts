/** Routes that ask no model: what there is, whether it is ready, and the documents of all of it. */
import type { Hono } from 'hono';
import { VERSION } from '../version.js';
import { apiPage } from './apiPage.js';
import type { AppEnv, AppParts } from './appParts.js';
import { openApiDocument } from './openApi.js';
import type { ModelCard } from './routes/route.js';
import type { ServedModel } from './servedModel.js';

export function addInformation(app: Hono<AppEnv>, parts: AppParts): void {
  const { models, settings } = parts;
  const document = openApiDocument();

  app.get('/', (c) => c.json({ pleiad: VERSION, models: models.all.map(({ id }) => id), documentation: '/docs' }));
  // Alive: it answers. Whether it should be asked for anything is /readyz's to say.
  app.get('/health', (c) => c.json({ status: 'ok' }));
  app.get('/ping', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => {
    const all = models.all.map(readiness);
    const isReady = all.every(({ ready }) => ready) && !parts.isDraining();
    const status = parts.isDraining() ? 'shutting down' : isReady ? 'ready' : 'not ready';
    return c.json({ status, models: all }, isReady ? 200 : 503);
  });
  app.get('/api/models', (c) => c.json({ models: models.all.map(described) }));
  app.get('/info', (c) => c.json(teiInfo(models.all, settings)));
  app.get('/v1/models', (c) => c.json({ object: 'list', data: models.all.map(openAiModel) }));
  app.get('/v1/models/:id', (c) => c.json(openAiModel(models.named(c.req.param('id')).model)));
  app.get('/openapi.json', (c) => c.json(document));
  app.get('/docs', (c) => {
    const nonce = parts.newId();
    c.header('content-security-policy', `default-src 'none'; style-src 'nonce-${nonce}'; frame-ancestors 'none'`);
    return c.html(apiPage(document, nonce));
  });
}

/** One that is loaded when first asked for is ready before it is. */
function readiness({ id, state, failure }: ServedModel<ModelCard>) {
  const ready = state === 'ready' || state === 'unloaded';
  return { id, state, ready, ...(failure && { reason: failure.message }) };
}

function described({ id, state, card }: ServedModel<ModelCard>) {
  if (!card) return { id, state, pipelines: [] };
  const { task, pipelines, architecture, maxLength, hiddenSize, labels } = card;
  return { id, state, task, pipelines, architecture, maxLength, hiddenSize, ...(labels && { labels }) };
}

function openAiModel({ id }: ServedModel<ModelCard>) {
  return { id, object: 'model', created: 0, owned_by: 'pleiad' };
}

/** TEI serves one model; of several the first is described. */
function teiInfo([first]: readonly ServedModel<ModelCard>[], settings: AppParts['settings']) {
  const { task, labels, maxLength } = first.card ?? {};
  const isClassifier = task === 'text-classification' && labels;
  const named = { id2label: { ...labels }, label2id: Object.fromEntries((labels ?? []).map((name, id) => [name, id])) };
  const kind = labels?.length === 1 ? { reranker: named } : { classifier: named };
  return {
    model_id: first.id,
    model_sha: null,
    model_dtype: 'float32',
    model_type: isClassifier ? kind : { embedding: { pooling: 'mean' } },
    max_concurrent_requests: settings.maxQueue,
    max_input_length: maxLength ?? null,
    max_batch_tokens: settings.maxBatchTokens,
    max_batch_requests: settings.maxBatchSize,
    max_client_batch_size: settings.maxTexts,
    auto_truncate: true,
    tokenization_workers: 1,
    version: VERSION,
    sha: null,
    docker_label: null,
  };
}
