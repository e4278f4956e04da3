/** Written by studio/scripts/spotRounds.ts (`npm run studio:rounds`): the rounds that are there before any model is. */
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';

export const BUILT: Readonly<Record<Language, readonly SpotRound[]>> = {
  en: [
    {
      words: [
        {
          before: '',
          text: 'Not',
          doubt: 0.1911,
        },
        {
          before: ' ',
          text: 'another',
          doubt: 0.1449,
        },
        {
          before: ' ',
          text: 'data',
          original: 'sound',
          doubt: 0.1338,
        },
        {
          before: ' ',
          text: 'broke',
          doubt: 0.0276,
        },
        {
          before: ' ',
          text: 'men',
          original: 'the',
          doubt: 0.2594,
        },
        {
          before: ' ',
          text: 'heavy',
          doubt: 0.1462,
        },
        {
          before: ' ',
          text: 'silence',
          doubt: 0.0505,
        },
        {
          before: ' ',
          text: 'of',
          doubt: 0.0472,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.0892,
        },
        {
          before: ' ',
          text: 'windless',
          doubt: 0.4162,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.1778,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'The',
          doubt: 0.0854,
        },
        {
          before: ' ',
          text: 'river',
          original: 'night',
          doubt: 0.1784,
        },
        {
          before: ' ',
          text: 'was',
          doubt: 0.2058,
        },
        {
          before: ' ',
          text: 'fine',
          doubt: 0.2855,
        },
        {
          before: ', ',
          text: 'for',
          original: 'and',
          doubt: 0.1357,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1052,
        },
        {
          before: ' ',
          text: 'stars',
          doubt: 0.1638,
        },
        {
          before: ' ',
          text: 'were',
          doubt: 0.1429,
        },
        {
          before: ' ',
          text: 'twinkling',
          doubt: 0.0801,
        },
        {
          before: ' ',
          text: 'brightly',
          doubt: 0.2444,
        },
        {
          before: ' ',
          text: 'overhead',
          doubt: 0.1949,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'She',
          doubt: 0.1801,
        },
        {
          before: ' ',
          text: 'glanced',
          doubt: 0.0293,
        },
        {
          before: ' ',
          text: 'at',
          doubt: 0.1722,
        },
        {
          before: ' ',
          text: 'him',
          doubt: 0.1812,
        },
        {
          before: ' ',
          text: 'with',
          doubt: 0.1187,
        },
        {
          before: ' ',
          text: 'tears',
          doubt: 0.0278,
        },
        {
          before: ' ',
          text: 'in',
          doubt: 0.1175,
        },
        {
          before: ' ',
          text: 'his',
          original: 'her',
          doubt: 0.0391,
        },
        {
          before: ' ',
          text: 'eyes',
          doubt: 0.0352,
        },
        {
          before: ', ',
          text: 'but',
          doubt: 0.1355,
        },
        {
          before: ' ',
          text: 'he',
          doubt: 0.2705,
        },
        {
          before: ' ',
          text: 'did',
          doubt: 0.1335,
        },
        {
          before: ' ',
          text: 'no',
          original: 'not',
          doubt: 0.2388,
        },
        {
          before: ' ',
          text: 'see',
          doubt: 0.2355,
        },
        {
          before: ' ',
          text: 'up',
          original: 'them',
          doubt: 0.3282,
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
