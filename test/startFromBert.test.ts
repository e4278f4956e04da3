/**
 * An ELECTRA pair and a SpanBERT from a published BERT (`../shared/models/splade-tiny`, old tensor names): what is written loads
 * in Python's transformers, and the encoder computes what the BERT did. transformers needs PLEIAD_PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCorpus } from '../src/data/prepare/prepareCorpus.node.js';
import { fromPretrained, tokenizerFromPretrained } from '../src/pretrained/pretrained.node.js';
import { pretrainToFolder } from '../src/pretraining/loadStart.node.js';
import type { PretrainingInput } from '../src/pretraining/settings.js';
import { saveTokenizer } from '../src/text/tokenizer.node.js';
import type { LoadedEvent } from '../src/training/events.js';

const PYTHON = process.env.PLEIAD_PYTHON;
const SCRIPT = fileURLToPath(new URL('./golden/check_huggingface_folder.py', import.meta.url));
const BERT = fileURLToPath(new URL('../../shared/models/splade-tiny', import.meta.url));
const TEXT = 'the capital of france is [MASK] .';

if (!existsSync(BERT)) console.warn(`from a published BERT is skipped: there is no ${BERT}`);

describe.skipIf(!existsSync(BERT))('a run from a published BERT', () => {
  const folder = mkdtempSync(join(tmpdir(), 'start-from-bert-'));
  const data = join(folder, 'shards');
  beforeAll(async () => {
    const sentences = ['the chef cooked the meal .', 'paris is the capital of france .', 'a dog saw the fish .'];
    const documents = Array.from({ length: 40 }, (_, i) => sentences.map((_, j) => sentences[(i + j) % 3]).join('\n'));
    writeFileSync(join(folder, 'text.txt'), `${documents.join('\n\n')}\n`);
    await saveTokenizer(await tokenizerFromPretrained(BERT), join(folder, 'tokenizer'));
    const inputs = [join(folder, 'text.txt')];
    await prepareCorpus({
      inputs,
      tokenizerDir: join(folder, 'tokenizer'),
      out: data,
      workers: 0,
      heldOutFraction: 0.2,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function train(name: string, given: Partial<PretrainingInput>): Promise<{ out: string; lines: string[] }> {
    const out = join(folder, name);
    const settings = { from: BERT, newHead: true, data, out, steps: 1, length: 16, batchSize: 4, threads: 1, ...given };
    const lines: string[] = [];
    for await (const event of pretrainToFolder({ ...settings, evaluateBatches: 1, accumulation: 1 })) {
      if (event.type === 'loaded') lines.push(...(event as LoadedEvent).lines);
    }
    return { out: join(out, 'checkpoints/step-00000000'), lines };
  }

  async function hiddenStates(place: string): Promise<ArrayLike<number>> {
    const model = await fromPretrained(place, { threads: 1, task: 'encoder' });
    const { lastHiddenState } = await model.run({ inputIds: [[101, 1996, 3007, 1997, 2605, 2003, 103, 1012, 102]] });
    await model.release();
    return lastHiddenState!.data as ArrayLike<number>;
  }

  it('is an ELECTRA whose discriminator is the whole BERT and whose generator its first layer', async () => {
    const { out, lines } = await train('pair', { objective: 'electra' });
    expect(await hiddenStates(join(out, 'discriminator'))).toEqual(await hiddenStates(BERT));
    expect(lines.join('\n')).toContain(`generator from the first 1 of 2 layers of ${BERT}, whose bert.* are electra.*`);
    if (PYTHON === undefined) return;
    for (const [half, architecture] of [
      ['discriminator', 'ElectraForPreTraining'],
      ['generator', 'ElectraForMaskedLM'],
    ]) {
      const theirs = JSON.parse(
        execFileSync(PYTHON, [SCRIPT, join(out, half), TEXT], { encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 26 }),
      );
      expect(theirs.architecture).toBe(architecture);
      const ours = await fromPretrained(join(out, half), { threads: 1 });
      const { logits } = await ours.run({ inputIds: [theirs.ids] });
      await ours.release();
      const difference = [...(logits!.data as Float32Array)].map((value, i) =>
        Math.abs(value - theirs.outputs.logits[i]),
      );
      expect(Math.max(...difference.slice(0, 100_000)), half).toBeLessThan(1e-3);
    }
  });

  it('is a SpanBERT with a new boundary head, or a masked LM', async () => {
    for (const objective of ['spanbert', 'mlm'] as const) {
      const { out } = await train(objective, { objective });
      expect(await hiddenStates(join(out, 'model'))).toEqual(await hiddenStates(BERT));
      if (PYTHON === undefined) continue;
      const theirs = JSON.parse(
        execFileSync(PYTHON, [SCRIPT, join(out, 'model'), TEXT], {
          encoding: 'utf8',
          stdio: 'pipe',
          maxBuffer: 1 << 26,
        }),
      );
      expect(theirs.architecture).toBe('BertForMaskedLM');
    }
  });
});
