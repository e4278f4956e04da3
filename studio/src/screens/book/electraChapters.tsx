/** The chapters about ELECTRA (Clark et al. 2020, arXiv 2003.10555). */
import type { Chapter } from './chapter.js';
import { Detection } from './figures/detection.js';
import { Drawing } from './figures/drawing.js';
import { Gaps } from './figures/gaps.js';
import { Halves } from './figures/halves.js';
import { Sizes } from './figures/sizes.js';
import { Softmax } from './figures/softmax.js';
import { StepLosses } from './figures/stepLosses.js';
import { B, Fraction, I, N, O, Sub, Sum, Sup } from './mathml.js';

const masked = <Sup of={<B>x</B>} at={<mtext>masked</mtext>} />;
const corrupt = <Sup of={<B>x</B>} at={<mtext>corrupt</mtext>} />;

export const ELECTRA_CHAPTERS: readonly Chapter[] = [
  {
    id: 'generator',
    title: { ko: { text: '생성자' }, en: { text: 'The generator' } },
    text: {
      ko: {
        text: '문장의 낱말 몇 개를 *[MASK]*로 가립니다. 작은 생성자가 남은 낱말을 모두 읽고, 가려진 자리마다 벡터 하나를 만듭니다.',
      },
      en: {
        text: 'Some words of a sentence are hidden behind *[MASK]*. A small generator reads all that is left and makes one vector for each hidden place.',
      },
    },
    formula: (
      <>
        {masked}
        <O>=</O>
        <mtext>REPLACE</mtext>
        <O>(</O>
        <B>x</B>
        <O>,</O>
        <B>m</B>
        <O>,</O>
        <mtext>[MASK]</mtext>
        <O>)</O>
      </>
    ),
    spoken: {
      ko: { text: '가린 문장은, 문장 x의 자리 m에 있는 낱말을 MASK로 바꾼 것이다' },
      en: { text: 'x masked is x with the words at the places m replaced by MASK' },
    },
    source: 'ELECTRA §2',
    line: "const transformed = transform(scope.within('generator_predictions'), hidden, config.embeddingSize, config);",
    file: 'src/models/electra.ts',
    Figure: Gaps,
  },
  {
    id: 'softmax',
    title: { ko: { text: '어휘 전체에 대한 소프트맥스' }, en: { text: 'Softmax over the vocabulary' } },
    text: {
      ko: {
        text: '그 벡터를 어휘의 *모든* 낱말 벡터와 곱하고, 소프트맥스로 확률을 만듭니다. 온도를 올리면 확률이 고르게 퍼집니다.',
      },
      en: {
        text: 'That vector is multiplied with the vector of *every* word of the vocabulary; softmax makes probabilities of the products. A higher temperature spreads them.',
      },
    },
    formula: (
      <>
        <Sub of={<I>p</I>} at={<I>G</I>} />
        <O>(</O>
        <Sub of={<I>x</I>} at={<I>t</I>} />
        <O>|</O>
        {masked}
        <O>)</O>
        <O>=</O>
        <Fraction
          of={
            <>
              <mtext>exp</mtext>
              <O>(</O>
              <Sup
                of={
                  <>
                    <I>e</I>
                    <O>(</O>
                    <Sub of={<I>x</I>} at={<I>t</I>} />
                    <O>)</O>
                  </>
                }
                at={<O>⊤</O>}
              />
              <Sub of={<B>h</B>} at={<I>t</I>} />
              <O>)</O>
            </>
          }
          at={
            <Sum over={<Sup of={<I>x</I>} at={<O>′</O>} />}>
              <mtext>exp</mtext>
              <O>(</O>
              <Sup
                of={
                  <>
                    <I>e</I>
                    <O>(</O>
                    <Sup of={<I>x</I>} at={<O>′</O>} />
                    <O>)</O>
                  </>
                }
                at={<O>⊤</O>}
              />
              <Sub of={<B>h</B>} at={<I>t</I>} />
              <O>)</O>
            </Sum>
          }
        />
      </>
    ),
    spoken: {
      ko: { text: '생성자가 낱말 x t에 주는 확률은, e의 지수를 모든 낱말에 대한 합으로 나눈 값이다' },
      en: {
        text: 'the probability of word x t is the exponential of its product with h t, divided by the sum of those of all words',
      },
    },
    source: 'ELECTRA §2',
    line: 'return biasScope.graph.linear(x, wordEmbeddings(embeddings, config), bias);',
    file: 'src/models/vocabularyHead.ts',
    Figure: Softmax,
  },
  {
    id: 'drawing',
    title: { ko: { text: '뽑기' }, en: { text: 'Drawing' } },
    text: {
      ko: {
        text: '가장 그럴듯한 낱말을 고르지 않고, 확률대로 *뽑습니다*. 0과 1 사이의 수 u 하나면 됩니다. 원래 낱말이 뽑히면 그 자리는 *원래 것*으로 칩니다.',
      },
      en: {
        text: 'Not the likeliest word is taken: one is *drawn* by its probability. A single number u between 0 and 1 is enough. If the original is drawn, the place counts as *original*.',
      },
    },
    formula: (
      <>
        <Sub
          of={
            <mover>
              <I>x</I>
              <O>^</O>
            </mover>
          }
          at={<I>t</I>}
        />
        <O>∼</O>
        <Sub of={<I>p</I>} at={<I>G</I>} />
        <O>(</O>
        <Sub of={<I>x</I>} at={<I>t</I>} />
        <O>|</O>
        {masked}
        <O>)</O>
        <mspace width="1em" />
        {corrupt}
        <O>=</O>
        <mtext>REPLACE</mtext>
        <O>(</O>
        <B>x</B>
        <O>,</O>
        <B>m</B>
        <O>,</O>
        <mover>
          <B>x</B>
          <O>^</O>
        </mover>
        <O>)</O>
      </>
    ),
    spoken: {
      ko: { text: 'x t 햇은 생성자의 분포에서 뽑고, 바꾼 문장은 자리 m에 그것을 넣은 것이다' },
      en: { text: 'x t hat is drawn from p G; x corrupt is x with these words at the places m' },
    },
    source: 'ELECTRA §2',
    line: 'return g.sampleRows(probabilities, uniforms);',
    file: 'src/pretraining/sampling.ts',
    Figure: Drawing,
  },
  {
    id: 'discriminator',
    title: { ko: { text: '판별자와 시그모이드' }, en: { text: 'The discriminator and the sigmoid' } },
    text: {
      ko: {
        text: '판별자는 바뀐 문장을 읽고 *모든* 낱말에 수 하나를 매깁니다. 시그모이드가 그 수를 0과 1 사이의 의심으로 바꿉니다.',
      },
      en: {
        text: 'The discriminator reads the changed sentence and gives *every* word one number. The sigmoid turns it into a doubt between 0 and 1.',
      },
    },
    formula: (
      <>
        <I>D</I>
        <O>(</O>
        {corrupt}
        <O>,</O>
        <I>t</I>
        <O>)</O>
        <O>=</O>
        <I>σ</I>
        <O>(</O>
        <Sup of={<B>w</B>} at={<O>⊤</O>} />
        <Sub of={<B>h</B>} at={<I>t</I>} />
        <O>)</O>
        <mspace width="1em" />
        <I>σ</I>
        <O>(</O>
        <I>z</I>
        <O>)</O>
        <O>=</O>
        <Fraction
          of={<N>1</N>}
          at={
            <>
              <N>1</N>
              <O>+</O>
              <Sup
                of={<I>e</I>}
                at={
                  <>
                    <O>−</O>
                    <I>z</I>
                  </>
                }
              />
            </>
          }
        />
      </>
    ),
    spoken: {
      ko: {
        text: '의심은 w와 h t의 곱의 시그모이드이다. 시그모이드는 1을 1 더하기 e의 마이너스 z 제곱으로 나눈 것이다',
      },
      en: { text: 'D is the sigmoid of w times h t; the sigmoid of z is one over one plus e to the minus z' },
    },
    source: 'ELECTRA §2',
    line: "const logits = linear(predictions.within('dense_prediction'), transformed, 1, outputInitializer);",
    file: 'src/models/electra.ts',
    Figure: Detection,
  },
  {
    id: 'losses',
    title: { ko: { text: '두 손실' }, en: { text: 'Both losses' } },
    text: {
      ko: {
        text: '생성자의 손실은 가린 낱말에서만, 판별자의 손실은 *모든* 낱말에서 셉니다. 판별자 쪽이 훨씬 작아서 λ = 50을 곱해 더합니다.',
      },
      en: {
        text: 'The generator’s loss is counted at hidden words alone, the discriminator’s at *all* words. The latter is far smaller, so it is added with λ = 50.',
      },
    },
    formula: (
      <>
        <munder>
          <mtext>min</mtext>
          <mrow>
            <Sub of={<I>θ</I>} at={<I>G</I>} />
            <O>,</O>
            <Sub of={<I>θ</I>} at={<I>D</I>} />
          </mrow>
        </munder>
        <Sum over={<B>x</B>}>
          <Sub of={<I>L</I>} at={<mtext>MLM</mtext>} />
          <O>(</O>
          <B>x</B>
          <O>,</O>
          <Sub of={<I>θ</I>} at={<I>G</I>} />
          <O>)</O>
          <O>+</O>
          <I>λ</I>
          <Sub of={<I>L</I>} at={<mtext>Disc</mtext>} />
          <O>(</O>
          <B>x</B>
          <O>,</O>
          <Sub of={<I>θ</I>} at={<I>D</I>} />
          <O>)</O>
        </Sum>
      </>
    ),
    spoken: {
      ko: { text: '생성자의 손실과 λ 곱하기 판별자의 손실의 합을 가장 작게 한다' },
      en: { text: 'minimise the sum of the generator’s loss and lambda times the discriminator’s loss' },
    },
    source: 'ELECTRA §2',
    line: 'return g.sub(g.softplus(logits), g.mul(logits, labels));',
    file: 'src/pretraining/mainLosses.ts',
    Figure: StepLosses,
  },
  {
    id: 'sharing',
    title: { ko: { text: '나눠 쓰기와 작은 생성자' }, en: { text: 'Sharing, and a smaller generator' } },
    text: {
      ko: {
        text: '낱말 벡터는 둘이 *함께* 씁니다. 생성자는 판별자의 1/4에서 1/2 크기일 때 가장 좋습니다. 너무 잘하는 생성자는 문제를 어렵게만 만듭니다.',
      },
      en: {
        text: 'Both *share* the table of word vectors. A generator of a quarter to a half of the width works best: one that is too good only makes the task too hard.',
      },
    },
    formula: (
      <>
        <Sub of={<I>E</I>} at={<I>G</I>} />
        <O>=</O>
        <Sub of={<I>E</I>} at={<I>D</I>} />
        <mspace width="1.4em" />
        <Sub of={<I>H</I>} at={<I>G</I>} />
        <O>=</O>
        <I>f</I>
        <O>·</O>
        <Sub of={<I>H</I>} at={<I>D</I>} />
        <O>,</O>
        <mspace width="0.5em" />
        <Fraction of={<N>1</N>} at={<N>4</N>} />
        <O>≤</O>
        <I>f</I>
        <O>≤</O>
        <Fraction of={<N>1</N>} at={<N>2</N>} />
      </>
    ),
    spoken: {
      ko: { text: '두 모델의 낱말 표는 같고, 생성자의 너비는 판별자 너비의 4분의 1에서 2분의 1이다' },
      en: {
        text: 'both word tables are the same; the generator’s width is a quarter to a half of the discriminator’s',
      },
    },
    source: 'ELECTRA §3.1, §3.2',
    line: "const embeddings = (isOwn ? own.within('electra') : discriminator).within('embeddings');",
    file: 'src/pretraining/electraGraph.ts',
    Figure: Sizes,
  },
  {
    id: 'halves',
    title: { ko: { text: '공개된 반쪽 불러오기' }, en: { text: 'Loading released halves' } },
    text: {
      ko: {
        text: '공개된 ELECTRA는 생성자와 판별자가 *따로* 올라와 있습니다. 이어서 학습하려면 두 반쪽을 불러 낱말 표를 다시 하나로 묶습니다. 판별자만 있으면 미세 조정에 충분합니다.',
      },
      en: {
        text: 'Released ELECTRAs come as two files, generator and discriminator *apart*. To train on, both are loaded and tied to one word table again. For fine-tuning the discriminator is enough.',
      },
    },
    formula: (
      <>
        <mtext>electra-small</mtext>
        <O>=</O>
        <Sub of={<I>θ</I>} at={<I>D</I>} />
        <O>∪</O>
        <Sub of={<I>θ</I>} at={<I>G</I>} />
        <O>,</O>
        <mspace width="0.8em" />
        <Sub of={<I>θ</I>} at={<I>D</I>} />
        <O>∩</O>
        <Sub of={<I>θ</I>} at={<I>G</I>} />
        <O>=</O>
        <I>E</I>
      </>
    ),
    spoken: {
      ko: { text: 'ELECTRA는 판별자와 생성자의 매개변수를 합친 것이고, 둘이 함께 쓰는 것은 낱말 표 E이다' },
      en: { text: 'an ELECTRA is the parameters of both; what both have is the table E' },
    },
    source: 'github.com/google-research/electra',
    line: 'const half = trainsGenerator(settings) ? generatorOf(settings, main) : undefined;',
    file: 'src/pretraining/loadStart.node.ts',
    Figure: Halves,
  },
];
