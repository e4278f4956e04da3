/** Written by studio/scripts/spotRounds.ts (`npm run studio:rounds`): the rounds that are there before any model is. */
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';

export const BUILT: Readonly<Record<Language, readonly SpotRound[]>> = {
  en: [
    {
      words: [
        {
          before: '',
          text: 'At',
          doubt: 0.252,
        },
        {
          before: ' ',
          text: 'nine',
          doubt: 0.4392,
        },
        {
          before: ' ',
          text: 'they',
          doubt: 0.042,
        },
        {
          before: ' ',
          text: 'stopped',
          doubt: 0.1471,
        },
        {
          before: ' ',
          text: 'off',
          original: 'work',
          doubt: 0.3469,
        },
        {
          before: ', ',
          text: 'and',
          doubt: 0.0418,
        },
        {
          before: ' ',
          text: 'sang',
          doubt: 0.0755,
        },
        {
          before: ', ',
          text: 'as',
          doubt: 0.0175,
        },
        {
          before: ' ',
          text: 'usual',
          doubt: 0.0361,
        },
        {
          before: ', ',
          text: 'before',
          doubt: 0.06,
        },
        {
          before: ' ',
          text: 'they',
          doubt: 0.0228,
        },
        {
          before: ' ',
          text: 'began',
          original: 'went',
          doubt: 0.1032,
        },
        {
          before: ' ',
          text: 'to',
          doubt: 0.0293,
        },
        {
          before: ' ',
          text: 'bed',
          doubt: 0.0513,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'The',
          doubt: 0.0265,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.058,
        },
        {
          before: ' ',
          text: 'is',
          original: 'was',
          doubt: 0.1012,
        },
        {
          before: ' ',
          text: 'fine',
          doubt: 0.1317,
        },
        {
          before: ', ',
          text: 'and',
          doubt: 0.0544,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0208,
        },
        {
          before: ' ',
          text: 'stars',
          doubt: 0.0384,
        },
        {
          before: ' ',
          text: 'were',
          doubt: 0.1411,
        },
        {
          before: ' ',
          text: 'twinkling',
          doubt: 0.0089,
        },
        {
          before: ' ',
          text: 'brightly',
          doubt: 0.3962,
        },
        {
          before: ' ',
          text: 'negotiations',
          original: 'overhead',
          doubt: 0.9131,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'As',
          doubt: 0.0665,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0223,
        },
        {
          before: ' ',
          text: 'city',
          original: 'window',
          doubt: 0.0983,
        },
        {
          before: ' ',
          text: 'opened',
          doubt: 0.0629,
        },
        {
          before: ', ',
          text: 'a',
          doubt: 0.0326,
        },
        {
          before: ' ',
          text: 'faster',
          original: 'heavy',
          doubt: 0.2934,
        },
        {
          before: ' ',
          text: 'crash',
          doubt: 0.0473,
        },
        {
          before: ' ',
          text: 'came',
          doubt: 0.1647,
        },
        {
          before: ' ',
          text: 'at',
          doubt: 0.3007,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1194,
        },
        {
          before: ' ',
          text: 'background',
          original: 'door',
          doubt: 0.4287,
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
          text: '우리는',
          doubt: 0.0964,
        },
        {
          before: ' ',
          text: '비를',
          doubt: 0.1973,
        },
        {
          before: ' ',
          text: '피해',
          doubt: 0.1504,
        },
        {
          before: ' ',
          text: '것도',
          original: '작은',
          doubt: 0.2214,
        },
        {
          before: ' ',
          text: '가게',
          doubt: 0.1988,
        },
        {
          before: ' ',
          text: '보험으로',
          original: '안으로',
          doubt: 0.4107,
        },
        {
          before: ' ',
          text: '들어갔다',
          doubt: 0.0734,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '그는',
          doubt: 0.1617,
        },
        {
          before: ' ',
          text: '오래된',
          doubt: 0.1011,
        },
        {
          before: ' ',
          text: '사진',
          doubt: 0.1118,
        },
        {
          before: ' ',
          text: '모두',
          original: '한',
          doubt: 0.1902,
        },
        {
          before: ' ',
          text: '장을',
          doubt: 0.2747,
        },
        {
          before: ' ',
          text: '지갑',
          doubt: 0.1511,
        },
        {
          before: ' ',
          text: '속에',
          doubt: 0.1245,
        },
        {
          before: ' ',
          text: '아니고',
          original: '넣고',
          doubt: 0.1922,
        },
        {
          before: ' ',
          text: '다녔다',
          doubt: 0.118,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '선생님은',
          doubt: 0.2715,
        },
        {
          before: ' ',
          text: '학생들에게',
          doubt: 0.0273,
        },
        {
          before: ' ',
          text: '아들을',
          original: '책을',
          doubt: 0.1882,
        },
        {
          before: ' ',
          text: '한',
          doubt: 0.1904,
        },
        {
          before: ' ',
          text: '권리를',
          original: '권씩',
          doubt: 0.0403,
        },
        {
          before: ' ',
          text: '나누어',
          doubt: 0.2357,
        },
        {
          before: ' ',
          text: '주셨다',
          doubt: 0.1436,
        },
      ],
      after: '.',
    },
  ],
};
