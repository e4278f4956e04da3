/** The chapters about SpanBERT (Joshi et al. 2020, arXiv 1907.10529), and what both are used for. */
import type { Chapter } from './chapter.js';
import { AnswerCurves } from './figures/answerCurves.js';
import { Boundaries } from './figures/boundaries.js';
import { Concatenation } from './figures/concatenation.js';
import { Gelu } from './figures/gelu.js';
import { SpanLengths } from './figures/spanLengths.js';
import { SpanLosses } from './figures/spanLosses.js';
import { B, I, N, O, Sub, Sup } from './mathml.js';

const logP = (given: preact.JSX.Element) => (
  <>
    <O>−</O>
    <mtext>log</mtext>
    <I>P</I>
    <O>(</O>
    <Sub of={<I>x</I>} at={<I>i</I>} />
    <O>|</O>
    {given}
    <O>)</O>
  </>
);

const layer = (weight: string, inner: preact.JSX.Element) => (
  <>
    <mtext>LN</mtext>
    <O>(</O>
    <mtext>GELU</mtext>
    <O>(</O>
    <Sub of={<B>W</B>} at={<N>{weight}</N>} />
    {inner}
    <O>)</O>
    <O>)</O>
  </>
);

export const SPANBERT_CHAPTERS: readonly Chapter[] = [
  {
    id: 'span-masks',
    title: { ko: { text: '구간 가리기' }, en: { text: 'Span masks' } },
    text: {
      ko: {
        text: 'SpanBERT는 낱말 하나가 아니라 *이어진 낱말*을 가립니다. 길이는 기하분포에서 뽑고 열 낱말에서 자릅니다. 평균은 3.8낱말입니다.',
      },
      en: {
        text: 'SpanBERT hides *words in a row*, not single ones. The length is drawn by a geometric law and cut off at ten words; the mean is 3.8.',
      },
    },
    formula: (
      <>
        <I>ℓ</I>
        <O>∼</O>
        <mtext>Geo</mtext>
        <O>(</O>
        <I>p</I>
        <O>)</O>
        <mspace width="1em" />
        <I>P</I>
        <O>(</O>
        <I>k</I>
        <O>)</O>
        <O>∝</O>
        <I>p</I>
        <Sup
          of={
            <>
              <O>(</O>
              <N>1</N>
              <O>−</O>
              <I>p</I>
              <O>)</O>
            </>
          }
          at={
            <>
              <I>k</I>
              <O>−</O>
              <N>1</N>
            </>
          }
        />
        <O>,</O>
        <mspace width="0.5em" />
        <I>p</I>
        <O>=</O>
        <N>0.2</N>
        <O>,</O>
        <I>k</I>
        <O>≤</O>
        <N>10</N>
      </>
    ),
    spoken: {
      ko: { text: '길이 k의 확률은 p 곱하기 1 빼기 p의 k 빼기 1 제곱에 비례한다. p는 0.2, k는 10까지' },
      en: {
        text: 'the probability of length k goes as p times one minus p to the k minus one; p is 0.2, k at most ten',
      },
    },
    source: 'SpanBERT §3.1',
    line: 'const mass = Float64Array.from({ length: max }, (_, i) => p * (1 - p) ** i);',
    file: 'src/data/masking/lengths.ts',
    Figure: SpanLengths,
  },
  {
    id: 'boundaries',
    title: { ko: { text: 'x₅와 x₁₀: 경계' }, en: { text: 'x₅ and x₁₀: the boundaries' } },
    text: {
      ko: {
        text: '“the laws of your”(x₆ … x₉)를 가리면 바로 바깥의 두 낱말, *x₅ = know*와 *x₁₀ = country*가 경계입니다. 가려지지 않은 낱말이라 모델이 읽을 수 있습니다.',
      },
      en: {
        text: 'When “the laws of your” (x₆ … x₉) is hidden, the two words just outside, *x₅ = know* and *x₁₀ = country*, are its boundaries. They are not hidden, so the model can read them.',
      },
    },
    formula: (
      <>
        <O>(</O>
        <Sub of={<I>x</I>} at={<I>s</I>} />
        <O>,</O>
        <O>…</O>
        <O>,</O>
        <Sub of={<I>x</I>} at={<I>e</I>} />
        <O>)</O>
        <mspace width="0.8em" />
        <mtext>→</mtext>
        <mspace width="0.8em" />
        <Sub
          of={<I>x</I>}
          at={
            <>
              <I>s</I>
              <O>−</O>
              <N>1</N>
            </>
          }
        />
        <O>,</O>
        <mspace width="0.3em" />
        <Sub
          of={<I>x</I>}
          at={
            <>
              <I>e</I>
              <O>+</O>
              <N>1</N>
            </>
          }
        />
      </>
    ),
    spoken: {
      ko: { text: 's부터 e까지의 구간의 경계는 x s 빼기 1과 x e 더하기 1이다' },
      en: { text: 'the boundaries of x s to x e are x s minus one and x e plus one' },
    },
    source: 'SpanBERT §3.2',
    line: "if (edgeSpans === 'special') return { left: start - 1, right: end + 1 };",
    file: 'src/data/masking/spanTargets.ts',
    Figure: Boundaries,
  },
  {
    id: 'position',
    title: { ko: { text: 'R₅, R₁₀ 그리고 P₂' }, en: { text: 'R₅, R₁₀ and P₂' } },
    text: {
      ko: {
        text: '가려진 *laws*는 구간의 두 번째 자리입니다. 두 경계의 벡터 R₅, R₁₀에 자리 벡터 *P₂*를 이어 붙입니다. 자리 벡터를 바꾸면 같은 경계가 다른 낱말을 말합니다.',
      },
      en: {
        text: 'The hidden word *laws* is the second of its span. The vectors of both boundaries, R₅ and R₁₀, are put beside the position vector *P₂*. With another one, the same boundaries say another word.',
      },
    },
    formula: (
      <>
        <Sub of={<B>h</B>} at={<N>0</N>} />
        <O>=</O>
        <O>[</O>
        <Sub
          of={<B>R</B>}
          at={
            <>
              <I>s</I>
              <O>−</O>
              <N>1</N>
            </>
          }
        />
        <O>;</O>
        <Sub
          of={<B>R</B>}
          at={
            <>
              <I>e</I>
              <O>+</O>
              <N>1</N>
            </>
          }
        />
        <O>;</O>
        <Sub
          of={<B>P</B>}
          at={
            <>
              <I>i</I>
              <O>−</O>
              <I>s</I>
              <O>+</O>
              <N>1</N>
            </>
          }
        />
        <O>]</O>
      </>
    ),
    spoken: {
      ko: { text: 'h 0은 R s 빼기 1, R e 더하기 1, P i 빼기 s 더하기 1을 이어 붙인 것이다' },
      en: { text: 'h zero is R s minus one, R e plus one and P i minus s plus one, one after the other' },
    },
    source: 'SpanBERT §3.2',
    line: 'const boundaries = [g.gather(hidden, left), g.gather(hidden, right), g.gather(table, offsets)];',
    file: 'src/models/spanbert.ts',
    Figure: Concatenation,
  },
  {
    id: 'layers',
    title: { ko: { text: 'f: 두 층과 GELU' }, en: { text: 'f: two layers with GELU' } },
    text: {
      ko: {
        text: '이어 붙인 벡터는 두 층을 지납니다. 층마다 행렬을 곱하고, *GELU*를 거치고, 정규화합니다. 나온 y는 낱말 표와 곱해 확률이 됩니다.',
      },
      en: {
        text: 'The long vector goes through two layers: a matrix, *GELU*, and layer normalisation in each. The result y is multiplied with the word table to give probabilities.',
      },
    },
    formula: (
      <>
        <B>y</B>
        <O>=</O>
        {layer('2', layer('1', <Sub of={<B>h</B>} at={<N>0</N>} />))}
        <mspace width="1em" />
        <mtext>GELU</mtext>
        <O>(</O>
        <I>x</I>
        <O>)</O>
        <O>=</O>
        <I>x</I>
        <O>·</O>
        <mi>Φ</mi>
        <O>(</O>
        <I>x</I>
        <O>)</O>
      </>
    ),
    spoken: {
      ko: { text: 'y는 h 0을 두 층에 통과시킨 것이다. GELU x는 x 곱하기 파이 x이다' },
      en: {
        text: 'y is h zero after two layers of weight, GELU and layer normalisation; GELU of x is x times phi of x',
      },
    },
    source: 'SpanBERT §3.2',
    line: "const y = transform(head.within('layer_1'), h1, config.hiddenSize, config);",
    file: 'src/models/spanbert.ts',
    Figure: Gelu,
  },
  {
    id: 'span-losses',
    title: { ko: { text: 'MLM + SBO' }, en: { text: 'MLM + SBO' } },
    text: {
      ko: {
        text: '가려진 낱말마다 두 번 맞힙니다. 한 번은 *제자리의* 벡터로(MLM), 한 번은 *두 경계*로(SBO). 두 손실을 그대로 더합니다.',
      },
      en: {
        text: 'Every hidden word is predicted twice: from the vector at *its own place* (MLM) and from *the two boundaries* (SBO). Both losses are added as they are.',
      },
    },
    formula: (
      <>
        <I>L</I>
        <O>(</O>
        <Sub of={<I>x</I>} at={<I>i</I>} />
        <O>)</O>
        <O>=</O>
        {logP(<Sub of={<B>R</B>} at={<I>i</I>} />)}
        {logP(<Sub of={<B>y</B>} at={<I>i</I>} />)}
      </>
    ),
    spoken: {
      ko: { text: '손실은 제자리 벡터로 맞힌 로그 확률과 경계로 맞힌 로그 확률을 더해 부호를 바꾼 것이다' },
      en: { text: 'the loss is minus log P of x i given R i, minus log P of x i given y i' },
    },
    source: 'SpanBERT §3.2',
    line: "losses.push({ name: 'sbo', sum: predictionLoss(g, 'sbo', boundary, targets), weight: config.sboWeight });",
    file: 'src/pretraining/spanbert.ts',
    Figure: SpanLosses,
  },
  {
    id: 'answers',
    title: { ko: { text: '질문에 답하기' }, en: { text: 'Answering questions' } },
    text: {
      ko: {
        text: '미리 학습한 모델 위에 수 두 개를 내는 층 하나를 얹습니다. 낱말마다 *답이 여기서 시작*할 점수와 *여기서 끝날* 점수입니다. 합이 가장 큰 구간이 답입니다.',
      },
      en: {
        text: 'One layer with two numbers a word stands on the pre-trained model: how well an answer *starts here*, and how well it *ends here*. The span with the largest sum is the answer.',
      },
    },
    formula: (
      <>
        <mover>
          <mrow>
            <O>(</O>
            <I>s</I>
            <O>,</O>
            <I>e</I>
            <O>)</O>
          </mrow>
          <O>^</O>
        </mover>
        <O>=</O>
        <munder>
          <mtext>argmax</mtext>
          <mrow>
            <I>s</I>
            <O>≤</O>
            <I>e</I>
          </mrow>
        </munder>
        <mspace width="0.3em" />
        <Sup of={<B>a</B>} at={<O>⊤</O>} />
        <Sub of={<B>h</B>} at={<I>s</I>} />
        <O>+</O>
        <Sup of={<B>b</B>} at={<O>⊤</O>} />
        <Sub of={<B>h</B>} at={<I>e</I>} />
      </>
    ),
    spoken: {
      ko: { text: '답은 시작 점수와 끝 점수의 합이 가장 큰 구간이다' },
      en: { text: 'the answer is the span s to e with the largest sum of its start score and its end score' },
    },
    source: 'SpanBERT §4.1',
    line: 'for (let e = s; e < limit; e++) visit(from + s, from + e, start[s] + end[e]);',
    file: 'src/tasks/questionAnswering/answerSearch.ts',
    Figure: AnswerCurves,
  },
];
