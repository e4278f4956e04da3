import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { encoderConfig } from '../../models/config.js';
import { resolveFineTuningSettings } from '../settings.js';
import { modelCard } from './modelCard.js';
import type { RunOfCard } from './runOfCard.js';
import { taskFileText } from './taskFile.js';

const given = {
  task: 'text-classification',
  from: 'google/electra-small-discriminator',
  train: ['/home/ada/data/train.csv', '/home/ada/data/more.csv'],
  dev: 'C:\\Users\\ada\\dev.csv',
  columns: { text: 'Review', label: 'Stars|of 5' },
  out: '/home/ada/runs/reviews/',
  batchSize: 16,
};
const view = (text: string) => ({ text, labels: ['bad'], place: 'train.csv:2' });
const model = {
  config: encoderConfig('small', 1000),
  architecture: 'ElectraForSequenceClassification',
  labels: ['bad', 'go`od'],
} as const;

function runOf(change: Partial<RunOfCard> = {}, settings: object = {}): RunOfCard {
  const all = { ...given, ...settings };
  return {
    settings: resolveFineTuningSettings(all, { numRows: 400, model }),
    given: all,
    data: { numTrainRows: 400, numDevRows: 2, examples: [view('a film')], labels: model.labels },
    model,
    hub: { repository: 'google/electra-small-discriminator', commit: 'fa8239aadc095e9164941d05878b98afe9b953c3' },
    ...change,
  };
}
const METRICS = { loss: 0.5, accuracy: 0.875, majorityAccuracy: 0.5, bagOfWordsAccuracy: 0.75, matthews: 0.7 };

describe('a model card', () => {
  const card = modelCard(runOf(), METRICS);
  const [, front] = card.split(/^---$/m);

  it('begins with what the hub reads', () => {
    expect(card.startsWith('---\n')).toBe(true);
    expect(parse(front)).toEqual({
      library_name: 'transformers',
      pipeline_tag: 'text-classification',
      base_model: 'google/electra-small-discriminator',
      tags: ['pleiad', 'electra'],
      'model-index': [
        {
          name: 'reviews',
          results: [
            {
              task: { type: 'text-classification', name: 'text-classification' },
              dataset: { type: 'custom', name: 'dev.csv' },
              metrics: [
                { type: 'accuracy', name: 'accuracy', value: 0.875 },
                { type: 'matthews_correlation', name: 'Matthews correlation', value: 0.7 },
                { type: 'loss', name: 'loss', value: 0.5 },
              ],
            },
          ],
        },
      ],
    });
  });

  it('has files with their rows, figures beside baselines, use, limits and every setting', () => {
    expect(card).toContain('| training | train.csv, more.csv | 400 |');
    expect(card).toContain('| dev | dev.csv | 2 |');
    expect(card).toContain(
      '| **accuracy** | 0.8750 | baselines: the most frequent label 0.5000, a bag of words 0.7500 |',
    );
    expect(card).toContain("await pipeline('text-classification', { model: 'path/to/this/folder' })");
    expect(card).toContain('pipeline("text-classification", model="path/to/this/folder")');
    expect(card).toContain('at most 128 tokens');
    expect(card).toContain("these 2 labels and no other: `bad`, `go'od`.");
    const [, settings] = /```yaml\n([\s\S]*?)```/.exec(card) ?? [];
    expect(parse(settings)).toMatchObject({
      from: 'google/electra-small-discriminator',
      train: ['train.csv', 'more.csv'],
      learningRate: 3e-4,
      batchSize: 16,
      columns: given.columns,
      seed: 0,
    });
  });

  it('names no folder of the machine', () => {
    for (const text of [card, taskFileText(runOf())]) expect(text).not.toMatch(/\/home|ada[\\/]|runs\//);
  });

  it('has no figures where nothing was evaluated', () => {
    const bare = modelCard(runOf());
    expect(bare).not.toContain('## Figures');
    expect(bare).not.toContain('model-index');
  });

  it('says Korean of Korean texts, and nothing of letters that many languages share', () => {
    const data = { ...runOf().data, examples: [view('배우들의 연기가 정말 좋았다, good!')] };
    expect(parse(modelCard(runOf({ data })).split(/^---$/m)[1])).toMatchObject({ language: 'ko' });
    expect(parse(front)).not.toHaveProperty('language');
  });

  it('says what a model of pairs, of numbers or of relations is called with', () => {
    const pairs = { ...runOf().data, examples: [{ ...view('a'), pair: 'b' }] };
    expect(modelCard(runOf({ data: pairs }))).toContain('"text_pair": "another"');
    const number = { ...model, labels: ['score'], otherFields: { problem_type: 'regression' } };
    const ofNumbers = modelCard(runOf({ model: number, data: { ...runOf().data, labels: ['score'] } }));
    expect(ofNumbers).toContain('function_to_apply="none"');
    expect(ofNumbers).toContain('It says a number, `score`.');
    const markers = { head: ['[unused1]', '[unused2]'], tail: ['@', '@'] };
    const relation = { ...model, pleiad: { relationMarkers: markers } };
    expect(modelCard(runOf({ model: relation }))).toContain('The [unused1] author [unused2] wrote a @ letter @.');
  });

  it('is called as the folder of all where it is of a trial', () => {
    expect(modelCard(runOf({}, { out: 'tried/trial-2' }))).toContain('\n# tried\n');
  });
});

describe('a task file', () => {
  it('has what was given, the commit of the model, and says where it is to be run', () => {
    const text = taskFileText(runOf({}, { resume: true, seed: 7 }));
    expect(text).toContain('# Run it in the folder that has train.csv, more.csv, dev.csv.');
    expect(parse(text)).toEqual({
      task: 'text-classification',
      from: 'google/electra-small-discriminator',
      revision: 'fa8239aadc095e9164941d05878b98afe9b953c3',
      data: { train: ['train.csv', 'more.csv'], dev: 'dev.csv', columns: given.columns },
      out: 'reviews',
      batchSize: 16,
      seed: 7,
    });
  });

  it('leaves names that are no whole paths as they are', () => {
    const near = { from: 'models/encoder', train: 'data/train.csv', dev: '../dev.csv', out: 'runs/x' };
    const text = taskFileText(runOf({ hub: undefined }, near));
    expect(text).not.toContain('# Run it');
    expect(parse(text)).toMatchObject({
      from: 'models/encoder',
      data: { train: 'data/train.csv', dev: '../dev.csv' },
      out: 'runs/x',
    });
  });
});
