/** SpanBERT from text to filled gaps, as child processes. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-spanbert-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const at = (name: string) => join(FOLDER, name);

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { code: status, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}

const PRETRAIN = [
  ...['pretrain', '--objective', 'spanbert', '--size', 'tiny', '--threads', '1', '--log-every', '5'],
  ...['--model', 'hiddenSize=16,numHiddenLayers=1,numAttentionHeads=1,intermediateSize=16'],
  ...['--length', '24', '--batch-size', '8', '--steps', '10', '--evaluate-batches', '2', '--data', at('shards')],
];

beforeAll(() => {
  const [who, did, what] = [
    ['the chef', 'a child', 'the old man', 'my sister'],
    ['cooked', 'ate', 'sold', 'saw'],
    ['the meal', 'a fish', 'the red boat', 'some bread'],
  ];
  const sentence = (n: number) => `${who[n % 4]} ${did[(n >> 1) % 4]} ${what[(n >> 2) % 4]} number ${n % 13}.`;
  const documents = Array.from({ length: 60 }, (_, i) => [0, 3, 5, 11].map((j) => sentence(7 * i + j)).join(' '));
  writeFileSync(at('text.txt'), documents.join('\n\n'));
  expect(pleiad('vocab', at('text.txt'), '--size', '120', '--out', at('vocab')).code).toBe(0);
  const prepared = ['prepare', at('text.txt'), '--tokenizer', at('vocab'), '--out', at('shards')];
  expect(pleiad(...prepared, '--held-out-fraction', '0.2').code).toBe(0);
}, 60_000);

describe('SpanBERT on the command line', () => {
  it('pre-trains, with both losses in nats and bits beside the baseline', () => {
    const { code, stdout, json, stderr } = pleiad(...PRETRAIN, '--out', at('run'), '--json');
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const { mlmLoss, mlmBits, mlmAccuracy, sboLoss, sboBits, sboAccuracy, totalLoss, ...rest } = json.heldOut;
    expect(totalLoss).toBeCloseTo(mlmLoss + sboLoss, 6);
    expect([mlmBits * Math.LN2, sboBits * Math.LN2]).toEqual([expect.closeTo(mlmLoss, 6), expect.closeTo(sboLoss, 6)]);
    for (const figure of [mlmAccuracy, sboAccuracy, rest.unigramCrossEntropy, rest.unigramEntropy]) {
      expect(figure).toEqual(expect.any(Number));
    }
    expect(stderr).toMatch(/step 5\/10 {2}masked LM \d\.\d{3} {2}= \d\.\d{3} bits {2}boundaries \d\.\d{3} {2}=/);
    const evaluated = pleiad('evaluate', '--task', 'pretraining', '--model', at('run'), '--data', at('shards'));
    expect(evaluated.stdout).toMatch(
      /span boundary loss +\d\.\d{4} +\d\.\d{4} bits +baseline \d\.\d{4} \(unigram cross-entropy\)/,
    );
    expect(evaluated.stdout).not.toContain('next-sentence');
  });

  it('pre-trains with next sentences, whose loss stands beside that of chance', () => {
    const { code, json, stderr } = pleiad(...PRETRAIN, '--next-sentence', '--no-sbo', '--out', at('pairs'), '--json');
    expect(code, stderr).toBe(0);
    expect(json.heldOut).toMatchObject({ nspLoss: expect.any(Number), nspAccuracy: expect.any(Number) });
    expect(json.heldOut).not.toHaveProperty('sboLoss');
    const none = pleiad('fill-span', '--model', at('pairs'), 'the chef [MASK] meal');
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/model has no span boundary head.*ask the masked LM alone: --by mlm/);
    expect(pleiad('fill-span', '--model', at('pairs'), '--by', 'mlm', 'the chef [MASK] meal').code).toBe(0);
    expect(pleiad('fill-mask', '--model', at('pairs'), 'the chef [MASK] meal').code).toBe(0);
  });

  it('fill-span gives fillings by each judge, with all scores, for people and for programs', () => {
    const words = ['fill-span', '--model', at('run'), '--pieces', '1-3', '--top-k', '2', 'the chef [MASK] meal today'];
    const { json } = pleiad(...words, '--json');
    expect(json.gap).toEqual({ start: 9, end: 15, minPieces: 1, maxPieces: 3 });
    for (const judge of ['mlm', 'sbo', 'both']) {
      expect(json.fillings[judge]).toHaveLength(2);
      for (const { text, filling, scores } of json.fillings[judge]) {
        expect(text).toBe(`the chef ${filling} meal today`);
        expect(scores.both).toBeCloseTo((scores.mlm + scores.sbo) / 2, 6);
      }
    }
    const { stdout } = pleiad(...words);
    expect(stdout).toMatch(/by the span boundaries, mean log-probability a piece:\n +-\d+\.\d\d {2}\S+.*\(mlm -/);
  });

  it('score-span scores the marked span, piece by piece', () => {
    const { json } = pleiad('score-span', '--model', at('run'), 'the chef [[cooked the]] meal', '--json');
    expect(json.text).toBe('the chef cooked the meal');
    expect(json.text.slice(json.start, json.end)).toBe('cooked the');
    const mean = json.tokens.reduce((sum: number, { sbo }: { sbo: number }) => sum + sbo, 0) / json.tokens.length;
    expect(json.scores.sbo).toBeCloseTo(mean, 8);
    expect(pleiad('score-span', '--model', at('run'), 'the [[chef]] cooked').stdout).toMatch(/mean +-\d\.\d{3} +-\d/);
    const unmarked = pleiad('score-span', '--model', at('run'), 'the chef cooked');
    expect(unmarked).toMatchObject({ code: 1, stderr: expect.stringContaining('has no span, or several') });
  });

  it('says what is wrong with a gap or an option, with exit code 1 or 2', () => {
    const fill = (...words: string[]) => pleiad('fill-span', '--model', at('run'), ...words);
    expect(fill('nothing to fill')).toMatchObject({ code: 1, stderr: expect.stringContaining('has no [MASK]') });
    const long = fill('the chef [MASK] meal', '--pieces', '16');
    expect(long).toMatchObject({ code: 1, stderr: expect.stringContaining('positions for 15') });
    expect(fill('[MASK] meal')).toMatchObject({ code: 1, stderr: expect.stringContaining('no text before the span') });
    const options = fill('the [MASK] meal', '--pieces', '3-1', '--by', 'sbo,nobody', '--top-k', '0');
    expect(options.code).toBe(2);
    expect(options.stderr).toMatch(
      /3 settings are wrong[\s\S]*--pieces is "3-1"[\s\S]*--by is "sbo,nobody"[\s\S]*--top-k/,
    );
  });

  it('refuses settings that do not go together, all of them at once', () => {
    const { code, stderr } = pleiad(
      ...PRETRAIN,
      '--out',
      at('bad'),
      '--disc-weight',
      '50',
      '--no-sbo',
      '--sbo-weight',
      '2',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /--disc-weight is set and --objective is spanbert[\s\S]*--sbo-weight is set and --sbo is false/,
    );
  });

  it('info names the heads', () => {
    expect(pleiad('info', at('run')).stdout).toContain('BertForMaskedLM');
    expect(pleiad('info', at('run'), '--json').json.models[0]).toMatchObject({
      heads: ['cls', 'sbo'],
      spanBoundary: { maxSpanTargets: 15 },
    });
  });
});
