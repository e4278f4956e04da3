/** Written by studio/scripts/spotRounds.ts (`npm run studio:rounds`): the rounds that are there before any model is. */
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';

export const BUILT: Readonly<Record<Language, readonly SpotRound[]>> = {
  en: [
    {
      words: [
        {
          before: '',
          text: 'But',
          original: 'Not',
          doubt: 0.1027,
        },
        {
          before: ' ',
          text: 'another',
          doubt: 0.1143,
        },
        {
          before: ' ',
          text: 'plank',
          original: 'sound',
          doubt: 0.2753,
        },
        {
          before: ' ',
          text: 'broke',
          doubt: 0.1285,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0603,
        },
        {
          before: ' ',
          text: 'heavy',
          doubt: 0.0838,
        },
        {
          before: ' ',
          text: 'silence',
          doubt: 0.2316,
        },
        {
          before: ' ',
          text: 'of',
          doubt: 0.0857,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0458,
        },
        {
          before: ' ',
          text: 'windless',
          doubt: 0.0699,
        },
        {
          before: ' ',
          text: 'prejudice',
          original: 'night',
          doubt: 0.3253,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'The',
          doubt: 0.0267,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.0639,
        },
        {
          before: ' ',
          text: 'was',
          doubt: 0.0607,
        },
        {
          before: ' ',
          text: 'fine',
          doubt: 0.2196,
        },
        {
          before: ', ',
          text: 'with',
          original: 'and',
          doubt: 0.09,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0521,
        },
        {
          before: ' ',
          text: 'stars',
          doubt: 0.0565,
        },
        {
          before: ' ',
          text: 'a',
          original: 'were',
          doubt: 0.2149,
        },
        {
          before: ' ',
          text: 'twinkling',
          doubt: 0.01,
        },
        {
          before: ' ',
          text: 'at',
          original: 'brightly',
          doubt: 0.4503,
        },
        {
          before: ' ',
          text: 'overhead',
          doubt: 0.1831,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'She',
          doubt: 0.0874,
        },
        {
          before: ' ',
          text: 'glanced',
          doubt: 0.0215,
        },
        {
          before: ' ',
          text: 'at',
          doubt: 0.0156,
        },
        {
          before: ' ',
          text: 'him',
          doubt: 0.1184,
        },
        {
          before: ' ',
          text: 'with',
          doubt: 0.1278,
        },
        {
          before: ' ',
          text: 'breaths',
          original: 'tears',
          doubt: 0.2047,
        },
        {
          before: ' ',
          text: 'in',
          doubt: 0.1574,
        },
        {
          before: ' ',
          text: 'her',
          doubt: 0.0519,
        },
        {
          before: ' ',
          text: 'eyes',
          doubt: 0.1058,
        },
        {
          before: ', ',
          text: 'but',
          doubt: 0.1183,
        },
        {
          before: ' ',
          text: 'they',
          original: 'he',
          doubt: 0.1112,
        },
        {
          before: ' ',
          text: 'did',
          doubt: 0.5371,
        },
        {
          before: ' ',
          text: 'to',
          original: 'not',
          doubt: 0.2045,
        },
        {
          before: ' ',
          text: 'see',
          doubt: 0.0459,
        },
        {
          before: ' ',
          text: 'them',
          doubt: 0.0721,
        },
      ],
      after: '.',
    },
  ],
  ko: [
    {
      words: [
        {
          before: '',
          text: '할머니는',
          doubt: 0.1753,
        },
        {
          before: ' ',
          text: '아침마다',
          doubt: 0.1338,
        },
        {
          before: ' ',
          text: '영당에',
          original: '마당에',
          doubt: 0.2708,
        },
        {
          before: ' ',
          text: '뒤',
          original: '나가',
          doubt: 0.2151,
        },
        {
          before: ' ',
          text: '꽃에',
          doubt: 0.263,
        },
        {
          before: ' ',
          text: '물을',
          doubt: 0.2601,
        },
        {
          before: ' ',
          text: '주셨다',
          doubt: 0.1376,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '아이들은',
          doubt: 0.1193,
        },
        {
          before: ' ',
          text: '눈녀',
          original: '눈이',
          doubt: 0.0732,
        },
        {
          before: ' ',
          text: '내리자',
          doubt: 0.1174,
        },
        {
          before: ' ',
          text: '소리를',
          doubt: 0.0831,
        },
        {
          before: ' ',
          text: '왜이르며',
          original: '지르며',
          doubt: 0.8734,
        },
        {
          before: ' ',
          text: '밖으로',
          doubt: 0.0867,
        },
        {
          before: ' ',
          text: '뛰어나갔다',
          doubt: 0.1481,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '기차가',
          doubt: 0.1147,
        },
        {
          before: ' ',
          text: '떠난',
          doubt: 0.1414,
        },
        {
          before: ' ',
          text: '있었다에도',
          original: '뒤에도',
          doubt: 0.7022,
        },
        {
          before: ' ',
          text: '그는',
          doubt: 0.1244,
        },
        {
          before: ' ',
          text: '오랫동안',
          doubt: 0.0702,
        },
        {
          before: ' ',
          text: '역고',
          original: '역에',
          doubt: 0.1429,
        },
        {
          before: ' ',
          text: '서',
          doubt: 0.266,
        },
        {
          before: ' ',
          text: '있었다',
          doubt: 0.2941,
        },
      ],
      after: '.',
    },
  ],
};
