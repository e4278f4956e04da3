/** The OpenAPI 3.1 document of the server, made from the table of routes and so from the registry's schemas. */
import { z } from 'zod';
import { VERSION } from '../version.js';
import type { Route } from './routes/route.js';
import { ROUTES } from './routes/routes.js';
import { tokenizeBody, tokenizeResponse } from './routes/teiRoutes.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly Json[];
  readonly components: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content; readonly headers?: Json }>
  >;
}
type Content = Readonly<Record<string, { readonly schema: Json }>>;

const error = z.object({ error: z.string(), error_type: z.string() });
const openAiError = z.object({
  error: z.object({ message: z.string(), type: z.string(), code: z.string(), param: z.null() }),
});

const model = z.object({
  id: z.string(),
  state: z.string(),
  task: z.string().optional(),
  pipelines: z.array(z.string()),
  architecture: z.string().optional(),
  maxLength: z.number().optional(),
  hiddenSize: z.number().optional(),
  labels: z.array(z.string()).optional(),
});
const openAiModel = z.object({ id: z.string(), object: z.string(), created: z.number(), owned_by: z.string() });
const status = z.object({ status: z.string() });
const readiness = z.object({
  status: z.string(),
  models: z.array(z.object({ id: z.string(), state: z.string(), ready: z.boolean(), reason: z.string().optional() })),
});

/** Routes that no model answers: path, summary, tag, and the schema of the answer where it is JSON. */
const INFORMATION: readonly (readonly [path: string, summary: string, tag: string, answer?: z.ZodType])[] = [
  [
    '/',
    'version and models',
    'pleiad',
    z.object({ pleiad: z.string(), models: z.array(z.string()), documentation: z.string() }),
  ],
  ['/api/models', 'the models and what they do', 'pleiad', z.object({ models: z.array(model) })],
  ['/health', 'whether the server lives', 'probes', status],
  ['/ping', 'the same', 'probes', status],
  ['/readyz', 'whether all models are loaded, with the reason where one is not (503)', 'probes', readiness],
  ['/metrics', 'Prometheus metrics', 'probes'],
  [
    '/info',
    'limits, and what the first model is',
    'text-embeddings-inference',
    z.looseObject({ model_id: z.string() }),
  ],
  ['/v1/models', 'the models', 'openai', z.object({ object: z.literal('list'), data: z.array(openAiModel) })],
  ['/v1/models/{id}', 'a model', 'openai', openAiModel],
  ['/openapi.json', 'this document', 'pleiad', z.looseObject({})],
  ['/docs', 'this document as a page', 'pleiad'],
];

export function openApiDocument(): OpenApiDocument {
  const hubBody = z.looseObject({ inputs: z.unknown(), parameters: z.looseObject({}).optional() });
  const hub = { group: 'hugging face', body: hubBody, response: z.unknown() };
  const tokenize = { group: 'text-embeddings-inference', body: tokenizeBody, response: tokenizeResponse };
  const operations: (readonly [path: string, method: 'get' | 'post', operation: Operation])[] = [
    ...INFORMATION.map(
      ([path, summary, tag, answer]) => [path, 'get', information(path, summary, tag, answer)] as const,
    ),
    ...ROUTES.map((route) => [written(route.path), 'post', operationOf(route)] as const),
    ...[
      { ...tokenize, path: '/tokenize', summary: 'tokens of texts, with offsets in code points' },
      { ...hub, path: '/models/{id}', summary: 'the task of the model, as at /models/{id}/pipeline/{task}' },
      { ...hub, path: '/', summary: 'the same, where there is one model' },
    ].map((each) => [each.path, 'post', posted(each)] as const),
  ];
  const paths: Record<string, Record<string, Operation>> = {};
  for (const [path, method, operation] of operations) paths[path] = { ...paths[path], [method]: operation };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pleiad',
      version: VERSION,
      description: 'Models behind a port. Offsets of /api count UTF-16 units, those of /models code points.',
    },
    tags: [...new Set([...ROUTES.map(({ group }) => group), 'probes'])].map((name) => ({ name })),
    security: [{}, { key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

/** `/models/:id` → `/models/{id}` */
function written(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

function operationOf(route: Route): Operation {
  return posted({ ...route, path: written(route.path) });
}

type Posted = Pick<Route, 'summary' | 'body' | 'response'> & { readonly path: string; readonly group: string };

function posted({ path, summary, group, body, response }: Posted): Operation {
  const failed = json(path.startsWith('/v1/') ? openAiError : error, 'output');
  const failure = (description: string) => ({ description, content: failed });
  return {
    ...common('post', path, summary, group),
    requestBody: { required: true, content: json(body, 'input') },
    responses: {
      '200': { description: 'the result', content: json(response, 'output') },
      '400': failure('not JSON, or empty'),
      '401': failure('a key is missing or wrong'),
      '403': failure('a Host or Origin that may not ask'),
      '404': failure('no such model'),
      '413': failure('too large: says what and how much'),
      '415': failure('not application/json'),
      '422': failure('not what the route or the model takes'),
      '424': failure('the model failed'),
      '429': { ...failure('the queue is full'), headers: { 'Retry-After': { schema: { type: 'integer' } } } },
      '503': { ...failure('not ready, or shutting down'), headers: { 'Retry-After': { schema: { type: 'integer' } } } },
      '504': failure('no answer in time'),
    },
  };
}

function information(path: string, summary: string, tag: string, answer?: z.ZodType): Operation {
  const content: Content = answer ? json(answer, 'output') : { 'text/plain': { schema: { type: 'string' } } };
  const page: Content = { 'text/html': { schema: { type: 'string' } } };
  return {
    ...common('get', path, summary, tag),
    responses: {
      '200': { description: summary, content: path === '/docs' ? page : content },
      ...(path === '/readyz' && { '503': { description: 'not ready', content } }),
    },
  };
}

function common(method: string, path: string, summary: string, tag: string) {
  const words = path.replace(/[{}]/g, '').split(/[^A-Za-z\d]+/);
  const named = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: 'id of a model',
    schema: { type: 'string' },
  }));
  return {
    operationId: `${method}${named || 'Root'}`,
    summary,
    tags: [tag],
    ...(parameters.length > 0 && { parameters }),
  };
}

/** A schema as JSON, where a Float32Array is a list of numbers. */
function json(schema: z.ZodType, io: 'input' | 'output'): Content {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // Every integer schema ends where doubles stop counting by ones; that is no limit worth telling.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (zodSchema._zod.def.type === 'custom') Object.assign(jsonSchema, { type: 'array', items: { type: 'number' } });
    },
  });
  return { 'application/json': { schema: described as Json } };
}
