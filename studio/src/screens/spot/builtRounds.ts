/** Written by studio/scripts/spotRounds.ts (`npm run studio:rounds`): the rounds that are there before any model is. */
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';

export const BUILT: Readonly<Record<Language, readonly SpotRound[]>> = {
  en: [
    {
      words: [
        {
          before: '',
          text: 'As',
          original: 'Not',
          doubt: 0.2306,
        },
        {
          before: ' ',
          text: 'another',
          doubt: 0.464,
        },
        {
          before: ' ',
          text: 'radiated',
          original: 'sound',
          doubt: 0.1793,
        },
        {
          before: ' ',
          text: 'broke',
          doubt: 0.1137,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0301,
        },
        {
          before: ' ',
          text: 'heavy',
          doubt: 0.0477,
        },
        {
          before: ' ',
          text: 'silence',
          doubt: 0.2291,
        },
        {
          before: ' ',
          text: 'of',
          doubt: 0.1652,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0308,
        },
        {
          before: ' ',
          text: 'windless',
          doubt: 0.1278,
        },
        {
          before: ' ',
          text: 'eddy',
          original: 'night',
          doubt: 0.0149,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'The',
          doubt: 0.0563,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.1181,
        },
        {
          before: ' ',
          text: 'was',
          doubt: 0.0619,
        },
        {
          before: ' ',
          text: 'fine',
          doubt: 0.1905,
        },
        {
          before: ', ',
          text: 'for',
          original: 'and',
          doubt: 0.212,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1595,
        },
        {
          before: ' ',
          text: 'stars',
          doubt: 0.2221,
        },
        {
          before: ' ',
          text: 'a',
          original: 'were',
          doubt: 0.2703,
        },
        {
          before: ' ',
          text: 'twinkling',
          doubt: 0.0528,
        },
        {
          before: ' ',
          text: 'and',
          original: 'brightly',
          doubt: 0.1526,
        },
        {
          before: ' ',
          text: 'overhead',
          doubt: 0.0905,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'She',
          doubt: 0.0753,
        },
        {
          before: ' ',
          text: 'glanced',
          doubt: 0.0108,
        },
        {
          before: ' ',
          text: 'at',
          doubt: 0.0286,
        },
        {
          before: ' ',
          text: 'him',
          doubt: 0.2075,
        },
        {
          before: ' ',
          text: 'with',
          doubt: 0.1801,
        },
        {
          before: ' ',
          text: 'blind',
          original: 'tears',
          doubt: 0.4013,
        },
        {
          before: ' ',
          text: 'in',
          doubt: 0.1711,
        },
        {
          before: ' ',
          text: 'her',
          doubt: 0.0357,
        },
        {
          before: ' ',
          text: 'eyes',
          doubt: 0.0302,
        },
        {
          before: ', ',
          text: 'but',
          doubt: 0.1473,
        },
        {
          before: ' ',
          text: 'they',
          original: 'he',
          doubt: 0.2104,
        },
        {
          before: ' ',
          text: 'did',
          doubt: 0.099,
        },
        {
          before: ' ',
          text: 't',
          original: 'not',
          doubt: 0.4708,
        },
        {
          before: ' ',
          text: 'see',
          doubt: 0.0312,
        },
        {
          before: ' ',
          text: 'them',
          doubt: 0.0812,
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
          doubt: 0.1702,
        },
        {
          before: ' ',
          text: '아침마다',
          doubt: 0.1574,
        },
        {
          before: ' ',
          text: '환우당에',
          original: '마당에',
          doubt: 0.1371,
        },
        {
          before: ' ',
          text: '감',
          original: '나가',
          doubt: 0.1563,
        },
        {
          before: ' ',
          text: '꽃에',
          doubt: 0.1565,
        },
        {
          before: ' ',
          text: '물을',
          doubt: 0.1385,
        },
        {
          before: ' ',
          text: '주셨다',
          doubt: 0.1327,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '아이들은',
          doubt: 0.1453,
        },
        {
          before: ' ',
          text: '눈기',
          original: '눈이',
          doubt: 0.1422,
        },
        {
          before: ' ',
          text: '내리자',
          doubt: 0.1397,
        },
        {
          before: ' ',
          text: '소리를',
          doubt: 0.1774,
        },
        {
          before: ' ',
          text: '술을르며',
          original: '지르며',
          doubt: 0.1676,
        },
        {
          before: ' ',
          text: '밖으로',
          doubt: 0.1534,
        },
        {
          before: ' ',
          text: '뛰어나갔다',
          doubt: 0.1477,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '기차가',
          doubt: 0.1408,
        },
        {
          before: ' ',
          text: '떠난',
          doubt: 0.1697,
        },
        {
          before: ' ',
          text: '재에도',
          original: '뒤에도',
          doubt: 0.1457,
        },
        {
          before: ' ',
          text: '그는',
          doubt: 0.1348,
        },
        {
          before: ' ',
          text: '오랫동안',
          doubt: 0.1582,
        },
        {
          before: ' ',
          text: '역았다',
          original: '역에',
          doubt: 0.1706,
        },
        {
          before: ' ',
          text: '서',
          doubt: 0.1394,
        },
        {
          before: ' ',
          text: '있었다',
          doubt: 0.1681,
        },
      ],
      after: '.',
    },
  ],
};
