/** Where a classifier of texts is wrong: one label a text, several, or a number. */
import type { LabelledText } from '../example.js';
import { classSections, rowsOf } from '../report/classReport.js';
import { classScores, confusionOf, type WantedGot } from '../report/confusion.js';
import { histogramOf, scatterOf } from '../report/numbers.js';
import { reliabilityOf } from '../report/reliability.js';
import type { ExampleText, ReportSection } from '../report/report.js';
import { worstExamples } from '../report/worstExamples.js';
import { SEPARATOR } from './labels.js';
import { LABEL_THRESHOLD, type ProblemType } from './problemType.js';

export interface ClassifiedTexts {
  readonly texts: readonly LabelledText[];
  readonly labels: readonly string[];
  /** Row after row, [rows, labels]. */
  readonly logits: Float64Array;
  /** Of all rows, one after another, as the problem type has them. */
  readonly targets: readonly number[];
}

const SECTIONS: Readonly<Record<ProblemType, (classified: ClassifiedTexts) => ReportSection[]>> = {
  single_label_classification: singleLabelSections,
  multi_label_classification: severalLabelSections,
  regression: numberSections,
};

export function classifierSections(type: ProblemType, classified: ClassifiedTexts): ReportSection[] {
  return SECTIONS[type](classified);
}

function textsOf({ text, pair }: LabelledText): ExampleText[] {
  return pair === undefined ? [{ text }] : [{ text }, { name: 'pair', text: pair }];
}

function singleLabelSections({ texts, labels, logits, targets }: ClassifiedTexts): ReportSection[] {
  return classSections({
    of: 'label',
    labels,
    wanted: targets,
    logits: rowsOf(logits, labels.length),
    exampleOf: (row) => ({ place: texts[row].place, texts: textsOf(texts[row]) }),
  });
}

/**
 * Each label is a decision of its own. Labels that a text lacks and labels that it should not have are counted as taken for
 * one another, one by one; what is left over was missed, or made up.
 */
function severalLabelSections({ texts, labels, logits, targets }: ClassifiedTexts): ReportSection[] {
  const width = labels.length;
  const rows = texts.map((text, row) => {
    const decisions = labels.map((_, k) => {
      const probability = 1 / (1 + Math.exp(-logits[row * width + k]));
      const wanted = targets[row * width + k] === 1;
      const got = probability >= LABEL_THRESHOLD;
      return { wanted, got, confidence: Math.max(probability, 1 - probability), isRight: wanted === got };
    });
    return { text, decisions };
  });
  const confusion = confusionOf(
    'label',
    labels,
    rows.flatMap(({ decisions }) => paired(decisions)),
  );
  const names = (isThere: (k: number) => boolean) => labels.filter((_, k) => isThere(k)).join(SEPARATOR) || 'none';
  const mistakes = rows.flatMap(({ text, decisions }) => {
    const wrong = decisions.filter(({ isRight }) => !isRight);
    if (wrong.length === 0) return [];
    const probability = wrong.reduce((most, { confidence }) => Math.max(most, confidence), 0);
    const example = () => ({
      place: text.place,
      texts: textsOf(text),
      wanted: names((k) => decisions[k].wanted),
      got: names((k) => decisions[k].got),
      probability,
    });
    return [{ badness: probability, example }];
  });
  return [
    classScores(confusion),
    confusion,
    reliabilityOf(
      'decision',
      rows.flatMap(({ decisions }) => decisions),
    ),
    worstExamples(mistakes),
  ];
}

function paired(decisions: readonly { readonly wanted: boolean; readonly got: boolean }[]): WantedGot[] {
  const where = (wanted: boolean, got: boolean) =>
    decisions.flatMap((decision, k) => (decision.wanted === wanted && decision.got === got ? [k] : []));
  const [missed, madeUp] = [where(true, false), where(false, true)];
  const wrong = Array.from({ length: Math.max(missed.length, madeUp.length) }, (_, i): WantedGot => {
    return { wanted: missed[i], got: madeUp[i] };
  });
  return [...where(true, true).map((k) => ({ wanted: k, got: k })), ...wrong];
}

function numberSections({ texts, logits, targets }: ClassifiedTexts): ReportSection[] {
  const residuals = targets.map((wanted, row) => logits[row] - wanted);
  const shown = (number: number) => String(Number(number.toPrecision(4)));
  const mistakes = texts.flatMap((text, row) => {
    if (residuals[row] === 0) return [];
    const example = () => ({
      place: text.place,
      texts: textsOf(text),
      wanted: text.label,
      got: shown(logits[row]),
      difference: residuals[row],
    });
    return [{ badness: Math.abs(residuals[row]), example }];
  });
  return [
    scatterOf(targets.map((wanted, row) => [wanted, logits[row]])),
    histogramOf('residual', residuals),
    worstExamples(mistakes),
  ];
}
