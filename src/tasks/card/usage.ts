/** A few lines of Pleiad and of transformers that use a fine-tuned model, for its card. */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import { MODEL_CLASSES } from '../../models/heads.js';
import { type EntityMarkers, keptMarkers } from '../relation/markers.js';

export interface CardUsage {
  /** What the hub calls such models. */
  readonly pipelineTag: string;
  readonly pleiad: readonly string[];
  readonly transformers: readonly string[];
  /** What becomes of texts that are too long. */
  readonly longTexts: string;
}

/** Stands for the folder that the card lies in. */
const FOLDER = 'path/to/this/folder';

const LOSE_END = 'lose their end';
const IN_WINDOWS = 'are read in overlapping windows';

/** @param isPair  whether it was trained on pairs of texts */
export function usageOf(model: ModelDescription, { isPair }: { readonly isPair: boolean }): CardUsage {
  const markers = keptMarkers(model.pleiad);
  if (markers) return relationUsage(markers);
  switch (MODEL_CLASSES[model.architecture].task) {
    case 'tokenClassification':
      return {
        ...calls('token-classification', "'Ada Lovelace lived in London.'"),
        transformers: pythonPipeline(
          'token-classification',
          '"Ada Lovelace lived in London."',
          ', aggregation_strategy="first"',
        ),
        longTexts: IN_WINDOWS,
      };
    case 'questionAnswering':
      return {
        ...calls('question-answering', "{ question: 'Who cooked?', context: 'The chef cooked the meal.' }"),
        transformers: [
          ...pythonClasses('AutoModelForQuestionAnswering'),
          'inputs = tokenizer("Who cooked?", "The chef cooked the meal.", return_tensors="pt")',
          'start, end = (logits.argmax().item() for logits in model(**inputs, return_dict=False)[:2])',
          'print(tokenizer.decode(inputs["input_ids"][0][start : end + 1]))',
        ],
        longTexts: IN_WINDOWS,
      };
    case 'multipleChoice':
      return {
        ...calls('multiple-choice', "{ question: 'A question', choices: ['one answer', 'another'] }"),
        transformers: [
          ...pythonClasses('AutoModelForMultipleChoice'),
          'inputs = tokenizer(["A question"] * 2, ["one answer", "another"], padding=True, return_tensors="pt")',
          'print(model(**{name: rows.unsqueeze(0) for name, rows in inputs.items()}).logits)',
        ],
        longTexts: 'lose some of their text',
      };
    default: {
      const isNumber = model.otherFields?.problem_type === 'regression';
      const [js, py] = isPair
        ? ["{ text: 'a text', textPair: 'another' }", '{"text": "a text", "text_pair": "another"}']
        : ["'a text'", '"a text"'];
      return {
        ...calls('text-classification', js),
        transformers: pythonPipeline('text-classification', py, isNumber ? ', function_to_apply="none"' : ''),
        longTexts: LOSE_END,
      };
    }
  }
}

function relationUsage({ head, tail }: EntityMarkers): CardUsage {
  const marked = `The ${head[0]} author ${head[1]} wrote a ${tail[0]} letter ${tail[1]}.`;
  const input = "{ text: 'The author wrote a letter.', head: { start: 4, end: 10 }, tail: { start: 19, end: 25 } }";
  return {
    ...calls('relation', input),
    pipelineTag: 'text-classification',
    transformers: pythonPipeline('text-classification', JSON.stringify(marked)),
    longTexts: 'lose what is farthest from both entities',
  };
}

function calls(pipeline: string, input: string): Pick<CardUsage, 'pipelineTag' | 'pleiad'> {
  return {
    pipelineTag: pipeline,
    pleiad: [
      "import { pipeline } from 'pleiad/node';",
      `const model = await pipeline('${pipeline}', { model: '${FOLDER}' });`,
      `console.log(await model(${input}));`,
    ],
  };
}

/** @param options  further arguments, each after a comma */
function pythonPipeline(name: string, input: string, options = ''): string[] {
  return [
    'from transformers import pipeline',
    `model = pipeline("${name}", model="${FOLDER}"${options})`,
    `print(model(${input}))`,
  ];
}

function pythonClasses(className: string): string[] {
  return [
    `from transformers import ${className}, AutoTokenizer`,
    `tokenizer = AutoTokenizer.from_pretrained("${FOLDER}")`,
    `model = ${className}.from_pretrained("${FOLDER}")`,
  ];
}
