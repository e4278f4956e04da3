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
          doubt: 0.1413,
        },
        {
          before: ' ',
          text: 'the',
          original: 'another',
          doubt: 0.1278,
        },
        {
          before: ' ',
          text: 'disappeared',
          original: 'sound',
          doubt: 0.151,
        },
        {
          before: ' ',
          text: 'broke',
          doubt: 0.1494,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1284,
        },
        {
          before: ' ',
          text: 'heavy',
          doubt: 0.1631,
        },
        {
          before: ' ',
          text: 'silence',
          doubt: 0.1505,
        },
        {
          before: ' ',
          text: 'of',
          doubt: 0.1356,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1274,
        },
        {
          before: ' ',
          text: 'itsless',
          original: 'windless',
          doubt: 0.1596,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.1475,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'The',
          doubt: 0.1363,
        },
        {
          before: ' ',
          text: 'night',
          doubt: 0.157,
        },
        {
          before: ' ',
          text: 'was',
          doubt: 0.144,
        },
        {
          before: ' ',
          text: 'the',
          original: 'fine',
          doubt: 0.1341,
        },
        {
          before: ', ',
          text: 'and',
          doubt: 0.1413,
        },
        {
          before: ' ',
          text: 'the',
          doubt: 0.1333,
        },
        {
          before: ' ',
          text: 'stars',
          doubt: 0.1796,
        },
        {
          before: ' ',
          text: 'a',
          original: 'were',
          doubt: 0.1344,
        },
        {
          before: ' ',
          text: 'futureinkling',
          original: 'twinkling',
          doubt: 0.1742,
        },
        {
          before: ' ',
          text: 'brightly',
          doubt: 0.1613,
        },
        {
          before: ' ',
          text: 'i',
          original: 'overhead',
          doubt: 0.1251,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: 'She',
          doubt: 0.1506,
        },
        {
          before: ' ',
          text: 'glanced',
          doubt: 0.1449,
        },
        {
          before: ' ',
          text: 'at',
          doubt: 0.152,
        },
        {
          before: ' ',
          text: 'him',
          doubt: 0.1464,
        },
        {
          before: ' ',
          text: 'with',
          doubt: 0.142,
        },
        {
          before: ' ',
          text: 'def',
          original: 'tears',
          doubt: 0.1381,
        },
        {
          before: ' ',
          text: 'in',
          doubt: 0.138,
        },
        {
          before: ' ',
          text: 'her',
          doubt: 0.1521,
        },
        {
          before: ' ',
          text: 'eyes',
          doubt: 0.158,
        },
        {
          before: ', ',
          text: 'the',
          original: 'but',
          doubt: 0.1368,
        },
        {
          before: ' ',
          text: 'mid',
          original: 'he',
          doubt: 0.157,
        },
        {
          before: ' ',
          text: 'did',
          doubt: 0.1588,
        },
        {
          before: ' ',
          text: 'not',
          doubt: 0.1342,
        },
        {
          before: ' ',
          text: 'see',
          doubt: 0.1381,
        },
        {
          before: ' ',
          text: 'them',
          doubt: 0.1512,
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
          text: 'as',
          original: '할머니는',
          doubt: 0.1541,
        },
        {
          before: ' ',
          text: '아침마다',
          doubt: 0.1988,
        },
        {
          before: ' ',
          text: 'rushing',
          original: '마당에',
          doubt: 0.1531,
        },
        {
          before: ' ',
          text: 'rid',
          original: '나가',
          doubt: 0.1765,
        },
        {
          before: ' ',
          text: '꽃에',
          doubt: 0.1816,
        },
        {
          before: ' ',
          text: '물을',
          doubt: 0.2059,
        },
        {
          before: ' ',
          text: '주셨다',
          doubt: 0.1705,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '아이들은',
          doubt: 0.2129,
        },
        {
          before: ' ',
          text: 'then',
          original: '눈이',
          doubt: 0.1471,
        },
        {
          before: ' ',
          text: 'he',
          original: '내리자',
          doubt: 0.1535,
        },
        {
          before: ' ',
          text: '소리를',
          doubt: 0.1823,
        },
        {
          before: ' ',
          text: 'obser',
          original: '지르며',
          doubt: 0.1901,
        },
        {
          before: ' ',
          text: '밖으로',
          doubt: 0.2034,
        },
        {
          before: ' ',
          text: '뛰어나갔다',
          doubt: 0.1731,
        },
      ],
      after: '.',
    },
    {
      words: [
        {
          before: '',
          text: '기차가',
          doubt: 0.2045,
        },
        {
          before: ' ',
          text: '떠난',
          doubt: 0.2023,
        },
        {
          before: ' ',
          text: 'of',
          original: '뒤에도',
          doubt: 0.1534,
        },
        {
          before: ' ',
          text: 'to',
          original: '그는',
          doubt: 0.1454,
        },
        {
          before: ' ',
          text: '오랫동안',
          doubt: 0.1729,
        },
        {
          before: ' ',
          text: 'anyone',
          original: '역에',
          doubt: 0.1732,
        },
        {
          before: ' ',
          text: '서',
          doubt: 0.1678,
        },
        {
          before: ' ',
          text: '있었다',
          doubt: 0.1881,
        },
      ],
      after: '.',
    },
  ],
};
