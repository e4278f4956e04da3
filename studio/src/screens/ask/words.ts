/** Words of screen "Ask". */
import { words } from '../../app/words.js';

export const ASK_WORDS = words({
  en: {
    question: 'Question',
    ask: 'Ask',
    examples: 'For instance',
    noAnswer: 'The text does not say.',
    best: 'The best it could find',
    probability: (percent: string) => `The model gives this answer ${percent}.`,
    lead: 'Ask the text. The answer is always a piece of it.',
    wanted: 'Wanted lead over “no answer”',
    leads: (lead: string) => `This answer leads by ${lead}. Pull the slider past its mark, and it turns off.`,
    trails: (lead: string) => `“No answer” leads by ${lead}. Pull the slider below the mark to see the answer.`,
    others: 'What it considered',
    where: 'Where it looked',
    whereNote: (windows: number) =>
      windows === 1
        ? 'The text fits into one window. Lines: where an answer starts, and where it ends.'
        : `The text is read in ${windows} overlapping windows; each word counts where a window is dark. Lines: where an answer starts, and where it ends.`,
    whereSpoken: (windows: number, start: string, end: string) =>
      `${windows} windows; the answer most probably starts with “${start}” and ends with “${end}”`,
    start: 'start',
    end: 'end',
    text: 'The text',
    editText: 'Other text',
    useText: 'Use this text',
    cancel: 'Cancel',
    sample: 'Back to the sample',
    model: 'Model',
    beside: 'Beside it',
    none: 'none',
    window: 'Window',
    windowUsual: 'as trained',
    windowTokens: (tokens: number) => `${tokens} tokens`,
    noModelTitle: 'A question answering model is needed',
    noModelText: 'Fine-tune one and open it here:',
    answerLabel: (rank: number) => `answer ${rank}`,
  },
  ko: {
    lead: '글에게 물어보세요. 답은 언제나 글의 한 부분입니다.',
    question: '질문',
    ask: '묻기',
    examples: '예를 들면',
    noAnswer: '글에 답이 없습니다.',
    best: '찾은 것 가운데 가장 나은 답',
    probability: (percent) => `모델이 이 답에 준 확률은 ${percent}입니다.`,
    wanted: '“답 없음”을 얼마나 앞서야 할까요?',
    leads: (lead) => `이 답은 ${lead}만큼 앞섭니다. 눈금 너머로 끌면 답이 꺼집니다.`,
    trails: (lead) => `“답 없음”이 ${lead}만큼 앞섭니다. 눈금 아래로 끌면 답이 나타납니다.`,
    others: '답의 후보',
    where: '어디를 보았을까요?',
    whereNote: (windows) =>
      windows === 1
        ? '글이 창 하나에 들어갑니다. 선은 답이 시작하는 곳과 끝나는 곳입니다.'
        : `글을 겹치는 창 ${windows}개로 나누어 읽습니다. 단어는 창이 진한 곳에서 판단합니다. 선은 답이 시작하는 곳과 끝나는 곳입니다.`,
    whereSpoken: (windows, start, end) =>
      `창 ${windows}개. 답은 “${start}”에서 시작해 “${end}”에서 끝날 확률이 가장 높습니다`,
    start: '시작',
    end: '끝',
    text: '글',
    editText: '다른 글',
    useText: '이 글 사용',
    cancel: '취소',
    sample: '예문으로 돌아가기',
    model: '모델',
    beside: '나란히',
    none: '없음',
    window: '창',
    windowUsual: '학습한 대로',
    windowTokens: (tokens) => `토큰 ${tokens}개`,
    noModelTitle: '질문에 답하는 모델이 필요합니다',
    noModelText: '미세 조정한 뒤 여기서 열어 주세요.',
    answerLabel: (rank) => `${rank}번째 답`,
  },
});
