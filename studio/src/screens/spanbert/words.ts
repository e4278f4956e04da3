/** Words of screen "SpanBERT". */
import { words } from '../../app/words.js';

/** 12 as ₁₂, as the paper writes p₁₂. */
function subscript(place: number): string {
  return [...`${place}`].map((digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]).join('');
}

export const SPANBERT_WORDS = words({
  en: {
    lead: 'Drag over some words to hide them. Then ask the two words at the ',
    leadEdges: 'edges',
    leadEnd: ' what stood there.',
    sentence: 'The sentence: arrow keys move, Shift with an arrow marks a span, Enter marks one word',
    hidden: ', hidden',
    edge: ', at the edge of the span',
    throw: 'Throw a span',
    throwMore: 'Throw 100',
    edit: 'Other sentence',
    editLabel: 'Sentence',
    use: 'Use it',
    cancel: 'Cancel',
    sbo: 'What the edges say',
    sboNote: (left: string, right: string, place: number) =>
      `They see “${left}”, “${right}” and p${subscript(place)}. Nothing else.`,
    mlm: 'What its own place says',
    mlmNote: 'The masked LM reads all the words that are left.',
    places: 'Place in the span: the position embedding that the edges are asked with',
    placeLabel: (place: number, answer: string) => `place ${place}: ${answer}`,
    turned: (place: number, own: number, answer: string, before: string) =>
      `With p${subscript(place)} instead of p${subscript(own)}, the same two edges say “${answer}” instead of “${before}”.`,
    unturned: (place: number, own: number, answer: string) =>
      `With p${subscript(place)} instead of p${subscript(own)}, the two edges still say “${answer}”.`,
    back: (own: number) => `Back to p${subscript(own)}`,
    loss: (word: string) => `Loss of “${word}”`,
    lengths: 'How long are the spans?',
    lengthsNote: (throws: number) =>
      throws === 0
        ? 'Each throw draws a length. The line is the law: 0.2 · 0.8ᵏ⁻¹, cut off at ten words.'
        : `${throws === 1 ? 'One throw' : `${throws} throws`} so far. The line is the law: 0.2 · 0.8ᵏ⁻¹, cut off at ten words.`,
    lengthsSpoken: (counts: string) => `Thrown lengths, from one word to ten: ${counts}`,
    wordsAxis: 'words',
    cut: (drawn: number, left: number) => `Drawn: ${drawn} words. The sentence ended after ${left}.`,
    model: 'Model',
    edgeTitle: 'No edge, no answer',
    edgeText:
      'This span touches the end of the text, so one of its two edges is missing. As in the released code, nothing is predicted from it. Move it inwards.',
    headTitle: 'This model has no boundary head',
    headText: 'It was trained to fill masks only. A SpanBERT has both: the command below trains one.',
    noneTitle: 'A SpanBERT is needed for the answers',
    noneText: 'Throwing spans works without a model. For the answers, train one on your text and open it here:',
  },
  ko: {
    lead: '단어 위로 끌어서 몇 개를 가려 보세요. 그다음 ',
    leadEdges: '양 끝',
    leadEnd: ' 두 단어에게 무엇이 있었는지 물어봅니다.',
    sentence: '문장: 화살표 키로 움직이고, Shift와 화살표로 구간을, Enter로 단어 하나를 고릅니다',
    hidden: ', 가려짐',
    edge: ', 구간의 끝',
    throw: '구간 던지기',
    throwMore: '100번 던지기',
    edit: '다른 문장',
    editLabel: '문장',
    use: '사용',
    cancel: '취소',
    sbo: '양 끝이 하는 말',
    sboNote: (left, right, place) => `“${left}”, “${right}”, 그리고 p${subscript(place)}만 봅니다.`,
    mlm: '제자리가 하는 말',
    mlmNote: '마스크 언어 모델은 남은 단어를 모두 읽습니다.',
    places: '구간 안의 자리: 양 끝에게 물을 때 쓰는 위치 임베딩',
    placeLabel: (place, answer) => `${place}번째 자리: ${answer}`,
    turned: (place, own, answer, before) =>
      `p${subscript(own)} 대신 p${subscript(place)}로 물으니 같은 양 끝이 “${before}” 대신 “${answer}”라고 합니다.`,
    unturned: (place, own, answer) =>
      `p${subscript(own)} 대신 p${subscript(place)}로 물어도 양 끝은 여전히 “${answer}”라고 합니다.`,
    back: (own) => `p${subscript(own)}로 돌아가기`,
    loss: (word) => `“${word}”의 손실`,
    lengths: '구간은 얼마나 길까요?',
    lengthsNote: (throws) =>
      throws === 0
        ? '던질 때마다 길이를 하나 뽑습니다. 선은 법칙입니다: 0.2 · 0.8ᵏ⁻¹, 최대 열 단어.'
        : `지금까지 ${throws}번 던졌습니다. 선은 법칙입니다: 0.2 · 0.8ᵏ⁻¹, 최대 열 단어.`,
    lengthsSpoken: (counts) => `던진 길이, 한 단어부터 열 단어까지: ${counts}`,
    wordsAxis: '단어',
    cut: (drawn, left) => `${drawn}단어를 뽑았지만 문장이 ${left}단어 뒤에 끝났습니다.`,
    model: '모델',
    edgeTitle: '한쪽 끝이 없습니다',
    edgeText:
      '이 구간은 글의 끝에 닿아 있어서 양 끝 가운데 하나가 없습니다. 공개된 코드처럼 여기서는 아무것도 예측하지 않습니다. 안쪽으로 옮겨 보세요.',
    headTitle: '이 모델에는 경계 헤드가 없습니다',
    headText: '마스크 채우기만 배운 모델입니다. SpanBERT에는 둘 다 있습니다. 아래 명령으로 학습할 수 있습니다.',
    noneTitle: '답을 보려면 SpanBERT 모델이 필요합니다',
    noneText: '구간 던지기는 모델 없이도 됩니다. 답을 보려면 가지고 있는 글로 학습한 뒤 여기서 열어 주세요.',
  },
});
