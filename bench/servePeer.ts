/** The plain way to put a model behind a port: a loop over transformers.js, one text after the other. Prints its address. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';

const [folder, threads] = process.argv.slice(2);
const { env, pipeline } = await import('@huggingface/transformers');
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const embed = await pipeline('feature-extraction', basename(folder), {
  dtype: 'fp32',
  session_options: { intraOpNumThreads: Number(threads) },
});

let last: Promise<unknown> = Promise.resolve();
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { inputs } = JSON.parse(body);
  const result = last.then(() => embed(inputs, { pooling: 'mean', normalize: true }));
  last = result;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify((await result).tolist()));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
