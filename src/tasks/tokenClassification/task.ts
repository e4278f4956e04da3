/** Token classification (tagging): a tag for each word of a sentence, such as those of named entities or chunks. */
import type { Table } from '../../data/tables/table.js';
import { DataError, SettingsError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import type { Model } from '../../pretrained/model.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import { contentHash } from '../../text/contentHash.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { encodedOnce } from '../encodedOnce.js';
import { epochBatches } from '../epochBatches.js';
import type { ExampleView } from '../example.js';
import { heldOutNotice } from '../notices.js';
import type { Evaluated } from '../report/report.js';
import type { EncodedRows, PreparedTask, PrepareOptions, ReadOptions, Task, TaskData, TaskNotice } from '../task.js';
import { tokensOf } from '../tokenRows.js';
import { trainAndDevRows } from '../trainAndDevRows.js';
import { conll } from './conll.js';
import { TAGGING_METRICS, taggingEvaluation } from './evaluation.js';
import { encodingNotices, misspeltTypeNotices, schemeNotices, unknownTagNotices, unknownTags } from './notices.js';
import { taggingObjective } from './objective.js';
import { expectedLabels, labelsOfModel, predictSentences, UNITS_FIELD } from './predictions.js';
import { taggingSections } from './report.js';
import { encodeSentences, type TaggedUnits, type TaggingBatch, taggingBatch, unitsOf } from './rows.js';
import { placeOfWord, ROLES, refuseOneTag, type TaggedSentence, taggedSentences } from './sentences.js';
import { metricsByType, type Tags, taggingMetrics } from './spanMetrics.js';
import { isTag, labelsOfTags, OUTSIDE, type TagForm, tagForm, tagParts } from './tags.js';
import { learnWordRules, WORD_RULES_FIELD } from './wordRules.js';
import {
  fitWordTags,
  majorityTagMetrics,
  parseWordTags,
  WORD_TAGS_FILE,
  type WordTags,
  wordTagMetrics,
} from './wordTags.js';

export const tokenClassification: Task<TaggingBatch> = {
  name: 'token-classification',
  aliases: ['tagging', 'ner'],
  head: 'tokenClassification',
  formats: [conll],
  roles: ROLES,
  baselinesFile: WORD_TAGS_FILE,
  metrics: TAGGING_METRICS,
  read: (train, dev, options) => new TaggingData(train, dev, options),
  evaluate,
  score,
};

function viewOf({ words, tags, place }: TaggedSentence): ExampleView {
  return { text: words.join(' '), labels: tags, place };
}

/** Rows of a batch of evaluation. */
const EVALUATION_ROWS = 32;

class TaggingData implements TaskData<TaggingBatch> {
  readonly labels: readonly string[];
  readonly hash: string;
  readonly #form: TagForm;
  readonly #units: TaggedUnits;
  readonly #train: readonly TaggedSentence[];
  readonly #dev: readonly TaggedSentence[];
  readonly #devSource?: string;
  readonly #encode = encodedOnce((tokenizer, length) =>
    encodeSentences(this.#train, this.labels, { tokenizer, length, units: this.#units }),
  );

  constructor(train: Table, dev: Table | undefined, { columns, labels, limit }: ReadOptions) {
    const sentences = taggedSentences(train, columns, labels);
    const tags = sentences.flatMap((sentence) => sentence.tags);
    this.labels = labels ? [...labels] : labelsOfTags(tags);
    if (labels) refuseUnlisted(sentences, labels);
    refuseOneTag([...new Set(tags)], sentences, train.source);
    this.#form = tagForm(this.labels);
    this.#units = unitsOf(sentences);
    this.#devSource = dev?.source;
    const sides = trainAndDevRows(sentences, dev && taggedSentences(dev, columns, labels), {
      textOf: ({ words }) => words.join(' '),
      limit,
    });
    [this.#train, this.#dev] = [sides.train, sides.dev];
    const content = (rows: readonly TaggedSentence[]) => rows.map((row) => [row.words, row.tags]);
    this.hash = contentHash(JSON.stringify([this.labels, content(this.#train), content(this.#dev)]));
  }

  get numRows(): number {
    return this.#train.length;
  }

  get examples(): TaskData<TaggingBatch>['examples'] {
    return { train: this.#train.map(viewOf), dev: this.#dev.map(viewOf) };
  }

  /** Tags that form no spans have no F1. */
  get defaultMetric(): string | undefined {
    return this.#form === 'plain' ? 'accuracy' : undefined;
  }

  encodedRows(tokenizer: WordPieceTokenizer, length: number): EncodedRows {
    return { lengths: this.#encode(tokenizer, length).rows.map(tokensOf) };
  }

  prepare(options: PrepareOptions): PreparedTask<TaggingBatch> {
    const { model, tokenizer, length, layerRateDecay, order, metric } = options;
    this.#checkMetric(metric);
    const rowOptions = { tokenizer, length, units: this.#units };
    const { rows, ...counts } = this.#encode(tokenizer, length);
    const baseline = this.#baseline(options.baselines);
    const rules = this.#units === 'words' && { [WORD_RULES_FIELD]: learnWordRules(this.#train) };
    const kept = { ...model, pleiad: { ...model.pleiad, [UNITS_FIELD]: this.#units, ...rules } };
    const files = baseline && { [WORD_TAGS_FILE]: `${JSON.stringify(baseline)}\n` };
    return {
      objective: taggingObjective(kept, { layerRateDecay, files }),
      data: epochBatches(rows, {
        order,
        lengthOf: tokensOf,
        batchOf: (some, padded) => taggingBatch(some, tokenizer.padId, padded),
      }),
      evaluation: taggingEvaluation({
        sentences: this.#dev,
        labels: this.labels,
        form: this.#form,
        rows: rowOptions,
        batchSize: EVALUATION_ROWS,
        metric,
        baselines: baseline && wordTagMetrics(baseline, this.#dev, this.#form),
      }),
      notices: [
        ...(this.#devSource === undefined ? [heldOutNotice(this.#dev.length, 'sentences')] : []),
        ...schemeNotices(this.#train, this.#dev),
        ...misspeltTypeNotices(this.#train, this.#form),
        ...unknownTagNotices(this.#dev, this.labels),
        ...encodingNotices(counts, { numSentences: this.numRows, length }),
      ],
    };
  }

  /** @throws SettingsError for a metric of spans where there are none; DataError where the dev data have none */
  #checkMetric(metric: string): void {
    if (metric === 'accuracy') return;
    if (this.#form === 'plain') {
      throw new SettingsError([
        `${settingName('metric')} is ${metric}, which is of spans, and the tags have no B- and I-; expected accuracy`,
      ]);
    }
    if (this.#dev.some(({ tags }) => tags.some((tag) => tag !== 'O'))) return;
    const source = this.#devSource ?? 'what is held out of the training data';
    const words = this.#dev.reduce((sum, { tags }) => sum + tags.length, 0);
    throw new DataError(`${source} has no span: all ${words} words have the tag O, and ${metric} would always be 0`, {
      subject: source,
      expected: 'sentences with spans to evaluate on',
      advice: `Name other dev data by ${settingName('dev')}, or choose the best checkpoint by accuracy: ${settingWith('metric', 'accuracy')}`,
    });
  }

  #baseline(wanted: PrepareOptions['baselines']): WordTags | undefined {
    if (wanted === undefined) return undefined;
    return wanted === 'new' ? fitWordTags(this.#train) : parseWordTags(wanted.kept);
  }
}

/** @throws DataError naming the first training word whose tag is none of the labels that were given */
function refuseUnlisted(sentences: readonly TaggedSentence[], labels: readonly string[]): void {
  const [first] = unknownTags(sentences, labels);
  if (!first) return;
  const [tag, { place }] = first;
  throw new DataError(`${place} has the tag "${tag}", and ${settingName('labels')} is ${joinFirst(labels, 20)}`, {
    subject: place,
    found: tag,
    expected: `one of ${joinFirst(labels, 20)}`,
    advice: `Mend the tag, or add it to ${settingName('labels')}`,
  });
}

/**
 * Words whose tag is no label of the model count as missed, and `unknownTags` says how many they are.
 * @throws DataError when no type of the data is one of the model
 */
async function evaluate(
  model: Model,
  data: Table,
  { columns, baselines }: Parameters<typeof tokenClassification.evaluate>[2],
): Promise<Evaluated> {
  const labels = labelsOfModel(model);
  const form = tagForm(labels);
  const sentences = taggedSentences(data, columns, labels);
  refuseForeign(sentences, labels);
  const unknown = [...unknownTags(sentences, labels).values()].reduce((sum, { count }) => sum + count, 0);
  const { tags, loss, probabilities } = await predictSentences(model, sentences, expectedLabels(sentences, labels));
  const { metrics, ...found } = evaluated(sentences, tags, { form, probabilities });
  const ofBaselines =
    baselines === undefined ? majorityTagMetrics(sentences) : wordTagMetrics(parseWordTags(baselines), sentences, form);
  return { ...found, metrics: { ...metrics, loss, ...(unknown > 0 && { unknownTags: unknown }), ...ofBaselines } };
}

function evaluated(
  sentences: readonly TaggedSentence[],
  predicted: Tags,
  options: { readonly form: TagForm; readonly probabilities?: Float64Array },
): Evaluated {
  const { form } = options;
  const expected = sentences.map(({ tags }) => tags);
  const words = expected.reduce((sum, tags) => sum + tags.length, 0);
  return {
    rows: sentences.length,
    metrics: {
      words,
      ...taggingMetrics(expected, predicted, form),
      ...metricsByType(expected, predicted, form),
    },
    sections: taggingSections(sentences, predicted, options),
    notices: expected.some((tags) => tags.some((tag) => tag !== OUTSIDE)) ? [] : [noSpansNotice(words)],
  };
}

function noSpansNotice(words: number): TaskNotice {
  return {
    code: 'dev-one-class',
    message: `All ${words} words have the tag ${OUTSIDE}, so F1 is 0 whatever is predicted`,
    advice: `Evaluate on sentences with spans: name another file by ${settingName('data')}.`,
  };
}

/** Data of another task look as if nothing had been learned. */
function refuseForeign(sentences: readonly TaggedSentence[], labels: readonly string[]): void {
  const form = tagForm(labels);
  const type = (tag: string) => (isTag(tag, form) ? tagParts(tag, form).type : tag);
  const known = new Set(labels.map(type));
  const found = new Set(sentences.flatMap(({ tags }) => tags.map(type)));
  found.delete('');
  if (found.size === 0 || [...found].some((own) => known.has(own))) return;
  const at = sentences[0].tags.findIndex((tag) => type(tag) !== '');
  const sentence = at < 0 ? sentences.find(({ tags }) => tags.some((tag) => type(tag) !== ''))! : sentences[0];
  const word = sentence.tags.findIndex((tag) => type(tag) !== '');
  throw new DataError(
    `${placeOfWord(sentence, word)} has the tag "${sentence.tags[word]}", and the labels of the model are ${joinFirst(labels, 20)}`,
    {
      subject: sentence.place,
      found: [...found],
      expected: `tags such as ${joinFirst(labels, 5)}`,
      advice: `None of the types is one of the model: give the data of its task; if another column has the tags, say so by ${settingName('columns')}`,
    },
  );
}

/**
 * What predicted tags are worth, as of a file that another program wrote: both files have the same words.
 * @throws DataError naming the first sentence that differs
 */
function score(
  data: Table,
  predictions: Table,
  { columns }: { readonly columns: Readonly<Record<string, string>> },
): Evaluated {
  const sentences = taggedSentences(data, columns);
  // Columns that were named are those of the data: in predictions the last one is predicted.
  const predicted = taggedSentences(predictions, {});
  for (const [i, { words, place }] of sentences.entries()) {
    const other = predicted[i];
    const word = other ? words.findIndex((own, at) => own !== other.words[at]) : 0;
    if (other && word < 0 && other.words.length === words.length) continue;
    const found = !other
      ? `${predictions.source} ends before it, after ${predicted.length} sentences`
      : word < 0
        ? `${other.place} has ${other.words.length} words`
        : `${other.place} has ${other.words[word] === undefined ? 'no word' : JSON.stringify(other.words[word])} as word ${word + 1}`;
    const own = word < 0 || !other ? `${words.length} words` : JSON.stringify(words[word]);
    throw new DataError(`${place} has ${own}, and ${found}`, {
      subject: predictions.source,
      expected: 'the sentences of the data, word for word, with the predicted tag in the last column',
      advice: 'Predict the tags of this very file',
    });
  }
  if (predicted.length > sentences.length) {
    throw new DataError(
      `${predicted[sentences.length].place} is a sentence that ${data.source} does not have: that has ${sentences.length}`,
      { subject: predictions.source, advice: 'Predict the tags of this very file' },
    );
  }
  const form = tagForm(sentences.flatMap(({ tags }) => tags));
  return evaluated(
    sentences,
    predicted.map(({ tags }) => tags),
    { form },
  );
}
