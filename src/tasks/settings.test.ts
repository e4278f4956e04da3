import { describe, expect, it } from 'vitest';
import type { ModelDescription } from '../checkpoint/modelFolder.js';
import { SettingsError } from '../errors/errors.js';
import { encoderConfig } from '../models/config.js';
import { settingsFromWords } from '../settings/describeSettings.js';
import { fineTuningSchema, resolveFineTuningSettings } from './settings.js';

const given = { task: 'text-classification', from: 'model', train: 'train.csv', dev: 'dev.csv', out: 'run' };
const model = (
  hiddenSize: number,
  architecture: ModelDescription['architecture'] = 'ElectraForSequenceClassification',
) => ({
  architecture,
  config: { ...encoderConfig('small', 100), hiddenSize },
  labels: ['a', 'b'],
});

function problemsOf(input: object): readonly string[] {
  try {
    resolveFineTuningSettings(input);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings of fine-tuning', () => {
  it('have three epochs of 32 rows a step, and an evaluation every half epoch', () => {
    const settings = resolveFineTuningSettings(given, { numRows: 1000, model: model(256) });
    expect(settings).toMatchObject({ steps: 94, batchSize: 32, evaluateEvery: 16, checkpointEvery: 16 }); // 3 × 31.25
    expect(settings).toMatchObject({ warmupFraction: 0.1, weightDecay: 0.01, clipNorm: 1, adamEpsilon: 1e-6 });
    expect(resolveFineTuningSettings({ ...given, epochs: 0.001 }, { numRows: 1000 }).steps).toBe(1);
    expect(resolveFineTuningSettings({ ...given, steps: 7 }, { numRows: 1000 }).steps).toBe(7);
  });

  it.each([
    [model(256), 3e-4, 0.8],
    [model(768), 1e-4, 0.8],
    [model(1024), 5e-5, 0.9],
    [model(384, 'BertForSequenceClassification'), 1e-4, 1],
    [model(768, 'BertForSequenceClassification'), 5e-5, 1],
  ])('take rate and layer-wise decay from the model (%#)', (known, learningRate, layerRateDecay) => {
    const settings = resolveFineTuningSettings(given, { numRows: 10, model: known });
    expect(settings).toMatchObject({ learningRate, layerRateDecay });
    expect(settings.model!.config).toMatchObject({ hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1 });
  });

  it('know the task by its aliases, and columns by number', () => {
    for (const task of ['classification', 'sequence-classification']) {
      expect(resolveFineTuningSettings({ ...given, task }).task).toBe('text-classification');
    }
    const numbered = resolveFineTuningSettings({ ...given, columns: { text: 3, label: 1 } });
    expect(numbered.columns).toEqual({ text: '3', label: '1' });
    expect(resolveFineTuningSettings({ ...given, labels: 'neg,pos' }).labels).toEqual(['neg', 'pos']);
  });

  it('report everything that is wrong at once', () => {
    const { from: _, ...rest } = given;
    const wrong = {
      ...rest,
      task: 'text-clasification',
      lenght: 64,
      steps: 5,
      epochs: 1,
      metric: 'rmse',
      hiddenDropout: 1,
    };
    expect(problemsOf(wrong)).toEqual([
      'from is missing; expected the model to start from',
      'hiddenDropout is 1; expected a number from 0 to below 1',
      'lenght is not a setting; did you mean length?',
      'steps and epochs are both set; give one',
      'task is "text-clasification", which is no task; did you mean text-classification?',
    ]);
    expect(problemsOf({ ...given, metric: 'rmse', dev: 'train.csv' })).toEqual([
      'train and dev are both train.csv; expected other rows to evaluate on than those to learn from',
      'metric is rmse; expected, of text-classification, one of accuracy, f1, macroF1, matthews',
    ]);
    expect(problemsOf({ ...given, columns: { txt: 'Review' } })).toEqual([
      'columns.txt is not a setting; did you mean text?',
    ]);
  });

  it('have the metrics of a problem type, and refuse what does not go with it', () => {
    const regression = { ...given, problemType: 'regression' };
    expect(resolveFineTuningSettings(regression).metric).toBe('spearman');
    expect(resolveFineTuningSettings({ ...regression, metric: 'pearson' }).metric).toBe('pearson');
    expect(problemsOf({ ...regression, metric: 'accuracy' })).toEqual([
      'metric is accuracy; expected, of regression, one of spearman, pearson',
    ]);
    expect(problemsOf({ ...given, problemType: 'multi' })).toEqual([
      'problemType is multi; expected one of single_label_classification, multi_label_classification, regression',
    ]);
    expect(problemsOf({ ...given, task: 'multiple-choice', problemType: 'regression' })).toEqual([
      'problemType is regression and multiple-choice has none; leave it out',
    ]);
    expect(problemsOf({ ...regression, classWeights: 'balanced' })).toEqual([
      'classWeights is balanced, which is for one label a row, not for regression; leave it out',
    ]);
    expect(problemsOf({ ...given, task: 'multiple-choice', columns: { pair: 'a' } })).toEqual([
      'columns.pair is not a setting of multiple-choice; multiple-choice has context, question, choices, label',
    ]);
    expect(problemsOf({ ...given, patience: 0 })).toEqual(['patience is 0; expected a whole number from 1']);
  });

  it('take one file or several, with commas between or as a list', () => {
    const trainOf = (train: string | readonly string[]) => resolveFineTuningSettings({ ...given, train }).train;
    expect(trainOf('a.csv')).toEqual(['a.csv']);
    expect(trainOf('a.csv, b.csv')).toEqual(['a.csv', 'b.csv']);
    expect(trainOf(['one, two.csv'])).toEqual(['one, two.csv']);
    expect(settingsFromWords(fineTuningSchema, { train: 'a=b.csv' })).toEqual({ train: 'a=b.csv' });
    expect(problemsOf({ ...given, train: ['a.csv', 'dev.csv'] })[0]).toContain('train and dev are both dev.csv');
    expect(problemsOf({ ...given, train: 'a.csv,' })[0]).toBe('train has ""; expected text');
  });

  it('of question answering are 384 tokens and two epochs, and belong to no other task', () => {
    const asked = resolveFineTuningSettings({ ...given, task: 'qa' }, { numRows: 320 });
    expect(asked).toMatchObject({ task: 'question-answering', length: 384, steps: 20, metric: 'f1' });
    expect(resolveFineTuningSettings(given, { numRows: 320 })).toMatchObject({ length: 128, steps: 30 });
    expect(problemsOf({ ...given, maxAnswerLength: 5 })).toEqual([
      'maxAnswerLength is of question-answering, and task is text-classification; leave it out',
    ]);
    expect(problemsOf({ ...given, task: 'qa', metric: 'accuracy' })[0]).toContain('one of f1, exactMatch, characterF1');
  });
});
