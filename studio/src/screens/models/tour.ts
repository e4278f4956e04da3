/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';

export const TOUR: readonly TourStep[] = [
  {
    target: 'parts',
    text: {
      en: { text: 'Choose an area: these are its tensors. In small models most parameters are words.' },
      ko: { text: '영역을 하나 고르면 텐서가 나옵니다. 작은 모델에서는 매개변수 대부분이 낱말 표입니다.' },
    },
    done: ({ state }) => state.part !== undefined,
  },
  {
    target: 'probe',
    text: {
      en: { text: 'Type a rare word and see it fall into pieces.' },
      ko: { text: '드문 낱말을 쳐 보세요. 조각으로 나뉩니다.' },
    },
    done: ({ did }) => did.has('typed'),
  },
  {
    target: 'take',
    text: {
      en: { text: 'Take it with you, as safetensors or as ONNX.' },
      ko: { text: 'safetensors나 ONNX로 가져가 보세요.' },
    },
    done: ({ did }) => did.has('took'),
  },
];
