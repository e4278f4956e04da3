/**
 * Preparing on several machines, without a queue or anybody who hands out work: machine i of n finds its part by rule
 * (slices.node.ts) and prepares it into a folder of its own, and when all folders are there they are merged.
 *
 *     shards/part-1-of-8/ … part-8-of-8/      each a prepared folder
 *     shards/manifest.json                    written last; names the shards of all parts, in order
 *
 * Parts one after another are the input, so what is merged holds the same documents in the same order, and in the same
 * splits, as one machine would have made of it; only the shards begin elsewhere.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, SettingsError } from '../../errors/errors.js';
import { FolderLock } from '../../files/folderLock.node.js';
import { settingName } from '../../settings/settingNames.js';
import { loadTokenizer, saveTokenizer } from '../../text/tokenizer.node.js';
import { MANIFEST_FILE, type Manifest, PART_FOLDER, TOKENIZER_FOLDER } from '../manifest.js';
import type { SplitName } from '../shards.js';
import { checkShardFiles, readManifest, readUnigram } from '../shards.node.js';
import { checkHasText, completeFolder, describeSplit, manifestText, someCounts } from './completeFolder.node.js';
import { identityDifferences, shownName } from './identity.js';
import { type Part, partText } from './slices.node.js';

export interface MergeResult {
  readonly out: string;
  /** `unchanged`: the folder was merged already. */
  readonly status: 'merged' | 'unchanged';
  readonly parts: number;
  readonly manifest: Manifest;
}

export function partFolder({ index, count }: Part): string {
  return `part-${index}-of-${count}`;
}

/**
 * Refuses to begin in a folder where what is asked for would be mixed with something else.
 * @param part  what is to be prepared; absent for everything
 * @throws DataError
 */
export function checkParts(out: string, part?: Part): void {
  const parts = partsIn(out);
  if (!part && parts.length > 0) {
    throw new DataError(`${out} holds parts that are not merged (${parts.map(partFolder).join(', ')})`, {
      subject: out,
      advice: `Merge them with \`pleiad prepare --merge --out ${out}\`, or choose another folder`,
    });
  }
  const other = part && parts.find(({ count }) => count !== part.count);
  if (other) {
    throw new DataError(`${out} holds ${partFolder(other)}, and part ${partText(part)} was asked for`, {
      subject: out,
      found: other.count,
      expected: `parts of ${part.count}`,
      advice: 'Use the same number of parts everywhere, or choose another folder',
    });
  }
  if (part && existsSync(join(out, MANIFEST_FILE))) {
    throw new DataError(`${out} is prepared already, without a ${partFolder(part)}`, {
      subject: out,
      advice: 'Choose another folder, or delete this one to make it anew',
    });
  }
}

/**
 * Makes one prepared folder of its parts, whose files stay where they are. Doing it again does nothing.
 * @throws DataError when there are no parts, one is missing or unfinished (by name), they were not made from the same
 *         input with the same tokenizer and settings, or no text was held out although some should be
 * @throws FolderInUseError when another process is merging them
 */
export async function mergeParts(out: string): Promise<MergeResult> {
  if (partsIn(out).length === 0) throw noParts(out);
  const lock = await FolderLock.acquire(out);
  try {
    return await merge(out);
  } finally {
    lock.release();
  }
}

async function merge(out: string): Promise<MergeResult> {
  const folders = completeParts(out);
  const manifests = folders.map((folder) => readManifest(join(out, folder)));
  checkAlike(out, folders, manifests);
  const [{ identity, vocabSize, specialIds }] = manifests;
  const { part: _, ...whole } = identity;
  const total = (name: 'textBytes' | 'recordsWithoutText' | 'replacedCharacters') =>
    manifests.reduce((sum, manifest) => sum + (manifest[name] ?? 0), 0);
  const textBytes = total('textBytes');
  const counts = {
    textBytes,
    recordsWithoutText: total('recordsWithoutText'),
    replacedCharacters: total('replacedCharacters'),
  };
  const splits = {
    train: mergedSplit('train', folders, manifests),
    heldOut: mergedSplit('heldOut', folders, manifests),
  };
  checkHasText(splits, [out], textBytes);
  if (identity.heldOutFraction > 0 && splits.heldOut.tokens === 0) throw nothingHeldOut(out, identity.heldOutFraction);
  const content = { identity: whole, vocabSize, specialIds, ...someCounts(counts), ...splits };
  checkShardFiles(out, [...splits.train.shards, ...splits.heldOut.shards]);

  const path = join(out, MANIFEST_FILE);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const tokenizer = loadTokenizer(join(out, folders[0], TOKENIZER_FOLDER));
  await saveTokenizer(tokenizer, join(out, TOKENIZER_FOLDER));
  const unigram = {
    train: addedUnigrams(out, 'train', folders, manifests),
    heldOut: addedUnigrams(out, 'heldOut', folders, manifests),
  };
  const manifest = await completeFolder(out, content, unigram);
  return { out, status: before === manifestText(manifest) ? 'unchanged' : 'merged', parts: folders.length, manifest };
}

/** The parts whose folders are in `out`, finished or not, in order. */
function partsIn(out: string): Part[] {
  if (!existsSync(out)) return [];
  if (!statSync(out).isDirectory()) {
    throw new SettingsError([
      `the folder for the shards is ${out}, which is a file; expected a folder, new or begun before`,
    ]);
  }
  return readdirSync(out)
    .map((name) => PART_FOLDER.exec(name))
    .filter((match) => match !== null)
    .map(([, index, count]) => ({ index: Number(index), count: Number(count) }))
    .sort((a, b) => a.index - b.index);
}

function noParts(out: string): DataError {
  return new DataError(`${out} holds no parts`, {
    subject: out,
    expected: 'folders such as part-1-of-8',
    advice: 'Prepare them with `pleiad prepare --part 1/8` and so on, with this folder as --out',
  });
}

/** Folders of all parts, in order. There is at least one. */
function completeParts(out: string): string[] {
  const found = partsIn(out);
  const counts = [...new Set(found.map(({ count }) => count))];
  if (counts.length > 1) {
    throw new DataError(`${out} holds parts of ${counts.join(' and of ')}: ${found.map(partFolder).join(', ')}`, {
      subject: out,
      found: counts,
      expected: 'parts of one number',
      advice: 'Delete those that do not belong',
    });
  }
  const [count] = counts;
  const parts = Array.from({ length: count }, (_, i) => ({ index: i + 1, count }));
  const isThere = (part: Part) => existsSync(join(out, partFolder(part)));
  const isComplete = (part: Part) => existsSync(join(out, partFolder(part), MANIFEST_FILE));
  const problems = [
    ['missing', parts.filter((part) => !isThere(part))] as const,
    ['unfinished', parts.filter((part) => isThere(part) && !isComplete(part))] as const,
  ].filter(([, those]) => those.length > 0);
  if (problems.length === 0) return parts.map(partFolder);
  const [, [first]] = problems[0];
  throw new DataError(
    `${out} cannot be merged: ${problems.map(([what, those]) => `${what}: ${those.map(partText).join(', ')}`).join('; ')}`,
    {
      subject: out,
      found: problems,
      expected: `${count} finished parts`,
      advice: `Prepare them as the others, with \`--part ${partText(first)}\`; an unfinished one continues`,
    },
  );
}

function checkAlike(out: string, folders: readonly string[], manifests: readonly Manifest[]): void {
  const [first] = manifests;
  manifests.forEach(({ identity }, index) => {
    const expected = { ...first.identity, part: `${index + 1}/${folders.length}` };
    const differences = identityDifferences(
      expected,
      identity,
      (name, there, here) => `${shownName(name)} is ${there} there and ${here} here`,
    );
    if (differences.length === 0) return;
    throw new DataError(
      `${join(out, folders[index])} was not prepared as ${folders[0]} was: ${differences.join('; ')}`,
      {
        subject: join(out, folders[index]),
        found: identity,
        advice: 'Delete the one that is wrong and prepare it again',
      },
    );
  });
}

function mergedSplit(split: SplitName, folders: readonly string[], manifests: readonly Manifest[]): Manifest['train'] {
  return describeSplit({
    documents: manifests.reduce((sum, manifest) => sum + manifest[split].documents, 0),
    shards: manifests.flatMap((manifest, index) =>
      manifest[split].shards.map((shard) => ({ ...shard, file: `${folders[index]}/${shard.file}` })),
    ),
  });
}

function addedUnigrams(
  out: string,
  split: SplitName,
  folders: readonly string[],
  manifests: readonly Manifest[],
): Float64Array {
  const [first, ...others] = folders.map((folder, index) => readUnigram(join(out, folder), split, manifests[index]));
  for (const counts of others) counts.forEach((count, id) => (first[id] += count));
  return first;
}

/** One machine would hold out the document with the smallest hash, which the parts did not look for. */
function nothingHeldOut(out: string, fraction: number): DataError {
  return new DataError(
    `${out} cannot be merged: of so little text, nothing is held out at ${settingName('heldOutFraction')} ${fraction}`,
    {
      subject: out,
      found: 0,
      expected: 'held-out text to evaluate on',
      advice: 'Prepare it on one machine, or with a larger fraction (0 holds nothing out)',
    },
  );
}
