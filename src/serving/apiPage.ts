/** The OpenAPI document as a page to read: no script, nothing from elsewhere. */
import { escapeMarkup } from '../tasks/report/html/escapeMarkup.js';
import type { OpenApiDocument, Operation } from './openApi.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc }
code, pre { font: 14px/1.45 ui-monospace, monospace }
summary { cursor: pointer; padding: .3rem 0 }
summary b { display: inline-block; min-width: 3.2rem }
pre { background: #f4f4f2; padding: .75rem; overflow-x: auto; max-height: 30rem }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } a { color: #a9b8ff } pre { background: #242424 } h2 { border-color: #555 } }
`;

/** @param nonce  that the page's policy names for its style */
export function apiPage({ info, paths, tags }: OpenApiDocument, nonce: string): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2>${escapeMarkup(name)}</h2>\n${own.map(shown).join('\n')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeMarkup(info.title)} ${escapeMarkup(info.version)}: routes</title><style nonce="${nonce}">${STYLE}</style></head>
<body><h1>${escapeMarkup(info.title)} ${escapeMarkup(info.version)}</h1>
<p>${escapeMarkup(info.description)} For programs: <a href="/openapi.json">/openapi.json</a>; the models: <a href="/api/models">/api/models</a>.</p>
${groups.join('\n')}
</body></html>`;
}

function shown({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const body = operation.requestBody?.content['application/json']?.schema;
  const answer = operation.responses['200'].content?.['application/json']?.schema;
  const part = (title: string, schema: unknown) =>
    schema === undefined ? '' : `<p>${title}</p><pre>${escapeMarkup(JSON.stringify(schema, null, 2))}</pre>`;
  return `<details><summary><b>${method.toUpperCase()}</b> <code>${escapeMarkup(path)}</code> ${escapeMarkup(operation.summary)}</summary>
${part('takes', body)}${part('gives', answer)}</details>`;
}
