import { expect, test } from 'vitest';
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import { pairFor, seriesBeside } from './pickModel.js';

const PAIR = { generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' };
const early: StudioModelSummary = { id: 'early', roles: PAIR, language: 'en', series: 's', tokensSeen: 1000 };
const late: StudioModelSummary = { ...early, id: 'late', tokensSeen: 9000 };
const korean: StudioModelSummary = { id: 'korean', roles: PAIR, language: 'ko' };
const lone: StudioModelSummary = { id: 'lone', roles: { model: 'ElectraForQuestionAnswering' }, language: 'en' };

test('takes a pair of the language, of a series what has read most', () => {
  expect(pairFor([early, lone, late, korean], 'en')?.id).toBe('late');
  expect(pairFor([early, lone, late, korean], 'ko')?.id).toBe('korean');
  expect(pairFor([early, { ...korean, language: 'en' }], 'en')?.id).toBe('korean');
  expect(pairFor([lone, korean], 'en')).toBeUndefined();
});

test('takes one of unknown language where there is no other', () => {
  const unknown = { ...late, id: 'unknown', language: undefined, series: undefined };
  expect(pairFor([unknown, early], 'en')?.id).toBe('early');
  expect(pairFor([unknown, early], 'ko')?.id).toBe('unknown');
});

test('puts a series in the order of reading, and finds one of the language for a model of none', () => {
  const ids = (model: StudioModelSummary) => seriesBeside([late, korean, early], model).map(({ id }) => id);
  expect(ids(late)).toEqual(['early', 'late']);
  expect(ids({ ...late, id: 'other', series: undefined })).toEqual(['early', 'late']);
  expect(ids(korean)).toEqual([]);
});
