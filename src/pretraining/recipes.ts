/**
 * Recipes: settings for a purpose as a table, each value with where it comes from. They are defaults: whatever is given goes over
 * them. `short` is for hours on one machine, `paper` what was published.
 */
import { SIZES, type SizeName } from '../models/config.js';
import { STEP_BY_SIZE } from './encoderFields.js';

export const RECIPE_NAMES = ['short', 'paper', 'none'] as const;
export type RecipeName = (typeof RECIPE_NAMES)[number];

export interface RecipeValue {
  readonly value: string | number | boolean | readonly string[];
  /** Where it comes from, for people. */
  readonly source: string;
}
/** By the name of a setting. */
export type RecipeTable = Readonly<Record<string, RecipeValue>>;

/** What a recipe is made for. */
export interface RecipeRun {
  readonly objective: string;
  readonly size: SizeName;
  /** Whether tokens are masked one by one. */
  readonly masksTokens: boolean;
  /** Whether the run begins with trained weights. */
  readonly hasStart: boolean;
}

const of = (value: RecipeValue['value'], source: string): RecipeValue => ({ value, source });

/**
 * Rows and micro-batches of a step of a short run: how many steps there are counts for more than how large they are. After two million
 * tokens, steps of 1,024 tokens had learned far more than steps of 4,096 to 16,384 (docs/results.md, the size of a step).
 */
const SHORT_STEP = { batchSize: 8, accumulation: 2, accumulationStart: 1 };

function short({ objective, size }: RecipeRun): RecipeTable {
  // `tiny` is trained for minutes, by its usual steps.
  const { batchSize, accumulation, accumulationStart } =
    size === 'tiny' ? { ...STEP_BY_SIZE.tiny, accumulationStart: 1 } : SHORT_STEP;
  const masksText = objective === 'mlm' || objective === 'spanbert';
  return {
    maskProb: masksText
      ? of(0.3, 'mask rate schedules, arXiv 2305.15096: 0.30 to 0.15 beat 0.15 by 0.46 points of GLUE')
      : of(0.25, 'ELECTRA large, arXiv 2003.10555 table 6, at the start; falling as in arXiv 2305.15096'),
    maskProbEnd: of(0.15, 'arXiv 2305.15096; 0.15 is the rate of BERT and ELECTRA'),
    lengthStages: of(
      ['64:0.5', '128'],
      'short rows first: BabyLM (Edman & Fraser, arXiv 2510.20475) 64 then 256 at equal tokens; LTG-BERT, arXiv 2303.09859',
    ),
    batchSize: of(batchSize, 'small steps and many of them: docs/results.md, the size of a step'),
    accumulation: of(accumulation, 'small steps and many of them: docs/results.md, the size of a step'),
    accumulationStart: of(accumulationStart, 'GPT-BERT, arXiv 2410.24159: smaller steps at the start'),
    accumulationRamp: of(0.6, 'cramming, arXiv 2212.14034: linear, full at 60 % of the budget'),
    schedule: of(
      'linear',
      'to 0 at the end of the time: cramming, arXiv 2212.14034; academic budget, arXiv 2104.07705',
    ),
    warmupFraction: of(0.05, 'academic budget BERT, arXiv 2104.07705: 0.06; LTG-BERT 0.016'),
    adamBeta2: of(0.98, 'cramming, academic budget, LTG-BERT, GPT-BERT: all 0.98'),
    weightDecay: of(0.01, 'cramming, academic budget, ELECTRA'),
    clipNorm: of(1, 'ELECTRA, arXiv 2003.10555; cramming clips at 0.5'),
    hiddenDropout: of(0, 'cramming, arXiv 2212.14034: no dropout in one pass'),
    attentionDropout: of(0, 'cramming, arXiv 2212.14034'),
    averageDecay: of(0.999, 'GPT-BERT, arXiv 2410.24159'),
  };
}

const ELECTRA_CODE = 'google-research/electra, as released';
const ELECTRA_PAPER = 'ELECTRA, arXiv 2003.10555 table 6';
const SPANBERT_PAPER = 'SpanBERT, arXiv 1907.10529 §4.2';

function paper(run: RecipeRun): RecipeTable {
  return run.objective === 'spanbert' ? spanbertPaper(run) : electraPaper(run);
}

function electraPaper({ size, masksTokens, hasStart, objective }: RecipeRun): RecipeTable {
  // tiny and mini are not in the paper: they take what it says of its smallest.
  const published = size === 'tiny' || size === 'mini' ? 'small' : size;
  const { learningRate, batchSize, accumulation } = STEP_BY_SIZE[published];
  const isBert = objective === 'mlm';
  return {
    learningRate: of(learningRate, ELECTRA_PAPER),
    batchSize: of(batchSize, `${ELECTRA_PAPER}: ${batchSize * accumulation} rows a step`),
    accumulation: of(accumulation, `${ELECTRA_PAPER}: ${batchSize * accumulation} rows a step`),
    length: of(published === 'small' ? 128 : 512, ELECTRA_PAPER),
    maskProb: of(SIZES[published].maskProb, ELECTRA_PAPER),
    maskKeepProb: of(isBert ? 0.1 : 0.15, isBert ? 'BERT, arXiv 1810.04805 §3.1' : ELECTRA_CODE),
    maskRandomProb: of(isBert ? 0.1 : 0, isBert ? 'BERT, arXiv 1810.04805 §3.1' : ELECTRA_CODE),
    ...(masksTokens && { duplicates: of('reference', ELECTRA_CODE) }),
    warmupFraction: of(0.01, `${ELECTRA_PAPER}: 10,000 of 1,000,000 steps, and never more`),
    ...ofBothPapers(ELECTRA_PAPER),
    weightDecay: of(0.01, ELECTRA_PAPER),
    adamEpsilon: of(1e-6, ELECTRA_PAPER),
    schedule: of('linear', ELECTRA_PAPER),
    scheduleStyle: of('reference', ELECTRA_CODE),
    biasCorrection: of('reference', ELECTRA_CODE),
    ...(!hasStart && { initialization: of('reference', ELECTRA_CODE) }),
  };
}

function spanbertPaper({ size, hasStart }: RecipeRun): RecipeTable {
  return {
    learningRate: of(1e-4, SPANBERT_PAPER),
    batchSize: of(STEP_BY_SIZE[size].batchSize, '256 rows a step in all'),
    accumulation: of(256 / STEP_BY_SIZE[size].batchSize, `${SPANBERT_PAPER}: 256 rows a step`),
    length: of(512, SPANBERT_PAPER),
    masking: of(['span'], SPANBERT_PAPER),
    maskProb: of(0.15, SPANBERT_PAPER),
    warmupFraction: of(10_000 / 2_400_000, `${SPANBERT_PAPER}: 10,000 of 2,400,000 steps`),
    ...ofBothPapers(SPANBERT_PAPER),
    weightDecay: of(0.1, `${SPANBERT_PAPER}; the released command has 0.01`),
    adamEpsilon: of(1e-6, 'what the released code comes to: its 1e-8 acts on unscaled gradients'),
    schedule: of('linear', SPANBERT_PAPER),
    ...(!hasStart && { initialization: of('corrected', 'truncated normal everywhere, as BERT') }),
  };
}

/** What both papers have in common. */
function ofBothPapers(source: string): RecipeTable {
  return {
    adamBeta1: of(0.9, source),
    adamBeta2: of(0.999, source),
    clipNorm: of(1, source),
    hiddenDropout: of(0.1, source),
    attentionDropout: of(0.1, source),
  };
}

const RECIPES: Readonly<Record<RecipeName, (run: RecipeRun) => RecipeTable>> = { short, paper, none: () => ({}) };

/** A setting that means nothing, or another thing, once another was given. */
const FOLLOWS: Readonly<Partial<Record<string, readonly string[]>>> = {
  maskProbEnd: ['maskProb'],
  lengthStages: ['length'],
  accumulation: ['batchSize'],
  accumulationStart: ['accumulation', 'batchSize'],
  accumulationRamp: ['accumulation', 'batchSize', 'accumulationStart'],
  warmupFraction: ['warmupSteps'],
  length: ['lengthStages'],
  duplicates: ['masking'],
};

/** What a recipe says of the settings that were not given. */
export function recipeTable(name: RecipeName, run: RecipeRun, given: ReadonlySet<string>): RecipeTable {
  const isOpen = (setting: string) => {
    const leaders = FOLLOWS[setting] ?? [];
    return !given.has(setting) && !leaders.some((leader) => given.has(leader));
  };
  return Object.fromEntries(Object.entries(RECIPES[name](run)).filter(([setting]) => isOpen(setting)));
}
