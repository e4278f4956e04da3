/**
 * A model in the box is made again from its settings: the first of the tiny series after step 0, to the same bytes. The corpus is that of
 * ../shared/data; without it, or on another engine or kind of processor than the one that made it, there is nothing to compare.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { PACKAGE, readSettings } from '../bench/box/build.js';
import { englishCorpus, writeCorpus } from '../bench/box/corpus.js';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import {
  createOneDnnEngine,
  prepareCorpus,
  pretrainToFolder,
  saveTokenizer,
  trainVocabulary,
} from '../src/index.node.js';
import { convertPair } from '../src/pretrained/convert.node.js';

const DATA = resolve(fileURLToPath(new URL('../../shared/data', import.meta.url)));
const MODEL = 'pleiad-tiny-1';
/** The one that it was made on: other processors round differently. */
const PROCESSOR = /EPYC/;
const temporary = temporaryFolder('rebuild');
const at = (...names: string[]) => join(temporary.path, ...names);
afterAll(temporary.remove);

const hasOneDnn = await createOneDnnEngine({ threads: 1 }).then(
  (engine) => engine.close().then(() => true),
  () => false,
);
const missing = [
  ...(existsSync(join(DATA, 'text-en')) ? [] : [`no ${DATA}/text-en`]),
  ...(existsSync(join(PACKAGE, MODEL)) ? [] : [`${MODEL} is not in the box`]),
  ...(hasOneDnn ? [] : ['no oneDNN']),
  ...(PROCESSOR.test(cpus()[0]?.model ?? '') ? [] : ['another processor']),
];
if (missing.length > 0) console.log(`${MODEL} is not rebuilt: ${missing.join(', ')}`);

describe.skipIf(missing.length > 0)(MODEL, () => {
  it('is made again to the same bytes', { timeout: 300_000 }, async () => {
    const { vocabulary, pretrain, models, length } = readSettings('pleiad-tiny');
    writeCorpus(englishCorpus(DATA), at('english'));
    const inputs = [at('english/train')];
    const { tokenizer } = await trainVocabulary({ inputs, size: vocabulary!.size });
    await saveTokenizer(tokenizer, at('vocabulary'));
    await prepareCorpus({ inputs, tokenizerDir: at('vocabulary'), out: at('shards') });
    const stop = new AbortController();
    const last = models[MODEL];
    for await (const event of pretrainToFolder(
      { ...pretrain, data: at('shards'), out: at('run') },
      { signal: stop.signal },
    )) {
      if (event.type === 'checkpoint' && event.step === last) stop.abort();
    }
    const checkpoint = at('run/checkpoints', `step-${String(last).padStart(8, '0')}`);
    await convertPair(checkpoint, at('packed'), { dtype: 'int8', length });
    for (const half of ['discriminator', 'generator']) {
      const hash = (folder: string) =>
        createHash('sha256')
          .update(readFileSync(join(folder, half, 'model.safetensors')))
          .digest('hex');
      expect(hash(at('packed')), half).toBe(hash(join(PACKAGE, MODEL)));
    }
  });
});
