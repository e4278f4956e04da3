/**
 * The model card of a fine-tuned model: README.md in its folder, whose first lines the hub reads (YAML with `pipeline_tag` and
 * `model-index`, as huggingface.co/docs/hub/model-cards describes them).
 */
import { stringify } from 'yaml';
import { familyOf } from '../../checkpoint/modelFolder.js';
import { joinFirst } from '../../errors/joinFirst.js';
import type { Metrics } from '../../training/objective.js';
import { VERSION } from '../../version.js';
import { baselinesText, type Figure, figuresOf, figureText } from '../figures.js';
import { baseName, type RunOfCard, startName } from './runOfCard.js';
import { TASK_FILE } from './taskFile.js';
import { type CardUsage, usageOf } from './usage.js';

export const CARD_FILE = 'README.md';

/** @param metrics  of this very checkpoint on the dev data; without them the card has no figures */
export function modelCard(run: RunOfCard, metrics: Metrics = {}): string {
  const { data, model } = run;
  const [example] = data.examples;
  const isPair = example?.pair !== undefined;
  const usage = usageOf(model, { isPair });
  const figures = figuresOf(metrics);
  return [
    `---\n${stringify(frontMatter(run, usage, figures), { lineWidth: 0 })}---`,
    `# ${nameOf(run)}`,
    introduction(run),
    '## Data',
    dataTable(run),
    ...(figures.length === 0 ? [] : ['## Figures', figureTable(figures, run)]),
    '## Use',
    fenced('js', usage.pleiad),
    fenced('python', usage.transformers),
    '## Limits',
    limits(run, usage),
    '## Settings',
    `Those that were given are in \`${TASK_FILE}\`, with which \`pleiad finetune\` does it again. All of them:`,
    fenced('yaml', [stringify(allSettings(run), { lineWidth: 0 }).trimEnd()]),
  ]
    .join('\n\n')
    .concat('\n');
}

const fenced = (language: string, lines: readonly string[]) => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``;

/** That of the run's folder; a trial is called as the folder of all. */
function nameOf({ settings: { out } }: RunOfCard): string {
  const name = baseName(out);
  return /^trial-\d+$/.test(name) ? baseName(out.replace(/[\\/]+[^\\/]+[\\/]*$/, '')) || name : name;
}

/** What the hub calls metrics. */
const HUB_METRICS: Readonly<Record<string, string>> = {
  macroF1: 'f1',
  microF1: 'f1',
  matthews: 'matthews_correlation',
  spearman: 'spearmanr',
  pearson: 'pearsonr',
  exactMatch: 'exact_match',
};

function frontMatter(run: RunOfCard, { pipelineTag }: CardUsage, figures: readonly Figure[]): object {
  const { hub, model, settings } = run;
  const language = languageOf(run);
  const results = {
    task: { type: pipelineTag, name: settings.task },
    dataset: { type: 'custom', name: devNames(run) },
    metrics: figures.map(({ metric, name, value }) => ({
      type: HUB_METRICS[metric] ?? metric.toLowerCase(),
      name,
      value,
    })),
  };
  return {
    library_name: 'transformers',
    pipeline_tag: pipelineTag,
    ...(language && { language }),
    ...(hub && { base_model: hub.repository }),
    tags: ['pleiad', familyOf(model.architecture)],
    ...(figures.length > 0 && { 'model-index': [{ name: nameOf(run), results: [results] }] }),
  };
}

/** A text in Hangul is Korean; an alphabet that many languages share says nothing. */
function languageOf({ data }: RunOfCard): string | undefined {
  const text = data.examples.map((example) => example.text).join(' ');
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const hangul = text.match(/\p{Script=Hangul}/gu)?.length ?? 0;
  return hangul > letters / 2 ? 'ko' : undefined;
}

function introduction(run: RunOfCard): string {
  const { settings, model, hub } = run;
  const { numHiddenLayers, hiddenSize } = model.config;
  const commit = hub ? ` at ${hub.commit.slice(0, 12)}` : '';
  return `\`${model.architecture}\` (${numHiddenLayers} layers, ${hiddenSize} units wide), fine-tuned for ${settings.task} from \`${startName(run)}\`${commit} with Pleiad ${VERSION}. The licence of that model, and the terms of the data, hold for this one too.`;
}

function dataTable(run: RunOfCard): string {
  const { settings, data } = run;
  const rows = [
    ['training', settings.train.map(baseName).join(', '), data.numTrainRows],
    ['dev', devNames(run), data.numDevRows],
  ];
  return table(['', 'files', 'rows'], rows);
}

/** The files, or where the rows were taken from. */
function devNames({ settings: { train, dev } }: RunOfCard): string {
  return dev ? dev.map(baseName).join(', ') : `rows held out of ${train.map(baseName).join(', ')}`;
}

function figureTable(figures: readonly Figure[], run: RunOfCard): string {
  const { metric } = run.settings;
  const rows = figures.map((figure) => [
    figure.metric === metric ? `**${figure.name}**` : figure.name,
    figureText(figure.value),
    baselinesText(figure),
  ]);
  return `On ${devNames(run)}; the best checkpoint was chosen by the figure in bold.\n\n${table(['', 'value', 'what costs nothing'], rows)}`;
}

function table(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Labels that are named. */
const NAMED = 50;

function limits({ settings, data, model }: RunOfCard, { longTexts }: CardUsage): string {
  const length = Math.min(settings.length, model.config.maxPositionEmbeddings);
  const labels = data.labels.map((label) => `\`${label.replaceAll('`', "'")}\``);
  const [kind, ...names] =
    model.otherFields?.problem_type === 'regression' ? ['number', ...labels] : ['label', ...labels];
  return [
    `- It was trained on rows of at most ${length} tokens, special ones included; longer texts ${longTexts}.`,
    ...(names.length === 0
      ? []
      : kind === 'number'
        ? [`- It says a number, ${names[0]}.`]
        : [`- It knows these ${names.length} labels and no other: ${joinFirst(names, NAMED)}.`]),
    '- The figures are those of the dev data; texts of another kind or language were not measured.',
  ].join('\n');
}

/** Settings that are no part of what was computed, or that stand elsewhere. */
const LEFT_OUT: readonly string[] = ['model', 'out', 'resume', 'moreSteps', 'more', 'moreMs'];

/** Every setting as it was resolved, files without their folders. */
function allSettings(run: RunOfCard): object {
  const { settings } = run;
  const { from: _, train, dev, tokenizer, ...others } = settings;
  const kept = Object.entries(others).filter(([name, value]) => value !== undefined && !LEFT_OUT.includes(name));
  return {
    from: startName(run),
    train: train.map(baseName),
    ...(dev && { dev: dev.map(baseName) }),
    ...(tokenizer !== undefined && { tokenizer: baseName(tokenizer) }),
    ...Object.fromEntries(kept),
  };
}
