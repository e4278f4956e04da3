/** Labels as they stand in cells: their order, several in one, unknown ones, and those that look misspelt. */
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { editDistance } from '../../settings/nearestName.js';
import { settingName } from '../../settings/settingNames.js';
import type { LabelledText } from '../example.js';
import type { TaskNotice } from '../task.js';

/** Between labels of one cell, as `pleiad classify` writes them. */
export const SEPARATOR = ';';

/** The labels of a cell, in their order; none where it is empty. */
export function splitLabels(cell: string): string[] {
  const parts = cell.split(SEPARATOR).map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/** Whole numbers by value, all others by their characters: an order that does not depend on that of the rows. */
export function inOrder(labels: readonly string[]): string[] {
  const areNumbers = labels.every((label) => /^-?\d+$/.test(label));
  return areNumbers ? [...labels].sort((a, b) => Number(a) - Number(b)) : [...labels].sort();
}

export function countLabels(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** @throws DataError naming the first row whose label is none of those */
export function refuseUnknownLabels(texts: readonly LabelledText[], labels: readonly string[], known: string): void {
  const set = new Set(labels);
  const wrong = texts.find(({ label }) => !set.has(label));
  if (!wrong) return;
  const near = labels.find((label) => isSlipOf(wrong.label, label));
  throw new DataError(`${wrong.place} has the label "${wrong.label}", and ${known} ${joinFirst(labels, 20)}`, {
    subject: wrong.place,
    found: wrong.label,
    expected: `one of ${joinFirst(labels, 20)}`,
    advice:
      near === undefined
        ? `Mend the row, or name all labels in order by ${settingName('labels')}`
        : `Write it as "${near}"`,
  });
}

/** A label is taken for a slip of another that has so many times its rows. */
const MUCH_RARER = 20;

/** Rare labels that are written almost as a frequent one. */
export function misspeltLabels(counts: ReadonlyMap<string, number>): TaskNotice[] {
  const slips = [...counts].flatMap(([label, count]) => {
    const meant = [...counts].find(([other, rows]) => rows >= MUCH_RARER * count && isSlipOf(label, other));
    return meant ? [{ label, count, meant: meant[0] }] : [];
  });
  if (slips.length === 0) return [];
  const shown = slips.map(({ label, count, meant }) => `"${label}" (${count} rows; "${meant}"?)`);
  return [
    {
      code: 'labels-misspelt',
      message: `Labels that may be slips of the pen: ${joinFirst(shown, 5)}`,
      advice: `Each is learned as a label of its own; mend the rows, or name the right labels by ${settingName('labels')}, which refuses all others.`,
    },
  ];
}

/** Letters of a label for which one of them may be wrong. */
const LETTERS_OF_SLIP = 5;

/** Whether a label differs from another in case, spaces or punctuation, or in a letter of many. Numbers never do. */
export function isSlipOf(label: string, other: string): boolean {
  if (label === other || /^[\d\s.,+-]*$/.test(label)) return false;
  const [a, b] = [label, other].map((text) =>
    text
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}]/gu, ''),
  );
  if (a === b) return a !== '';
  const digits = (text: string) => text.replace(/\D/g, '');
  if (digits(a) !== digits(b)) return false;
  return editDistance(a, b) <= Math.floor(Math.min(a.length, b.length) / LETTERS_OF_SLIP);
}
