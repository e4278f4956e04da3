import { describe, expect, it } from 'vitest';
import { fileSetOf, memorySource } from '../files/byteSource.js';
import { contentKind } from './contentKind.js';
import { openTensorFolder } from './openTensors.js';
import { expectedGolden, goldenBytes, readAll, sortedByName } from './testCheckpoints.js';

const kindOf = (content: string | Uint8Array, name = 'pytorch_model.bin') =>
  contentKind(memorySource(typeof content === 'string' ? new TextEncoder().encode(content) : content, name));

const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 440473133\n';

describe('a file is known by its content', () => {
  it.each([
    ['every-kind-zip.bin', 'zip'],
    ['every-kind-legacy.bin', 'torch-legacy'],
    ['tiny-bert/pytorch_model.bin', 'torch-legacy'],
    ['sharded.expected.safetensors', 'safetensors'],
    ['spanbert-encoder.tar.gz', 'gzip'],
    ['electra-tf1/model.ckpt-4000.index', 'tensorflow-index'],
    ['sharded-torch/pytorch_model.bin.index.json', 'shard-index'],
  ])('%s is %s, whatever it is called', async (file, kind) => {
    expect(await kindOf(goldenBytes(file), 'anything')).toBe(kind);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['a Git LFS pointer', LFS, /it is a Git LFS pointer, not the file itself\. .*git lfs pull/],
    ['a web page', '\n <!DOCTYPE html>\n<html lang="en"><title>Sign in</title>', /it is a web page, not a checkpoint/],
    ['a web page with a byte order mark', '\ufeff<html>', /it is a web page/],
    ['an error of a store', '<?xml version="1.0"?><Error><Code>AccessDenied</Code>', /it is a web page/],
    ['an error of a server', '{"error":"Repository not found"}', /it is JSON, and not the index/],
    ['.gitattributes', '*.bin.* filter=lfs diff=lfs merge=lfs -text\n*.h5 filter=lfs', /it is a \.gitattributes file/],
    ['.gitattributes with a comment', '# large files\n*.bin filter=lfs -text', /it is a \.gitattributes file/],
    ['nothing', '', /the file is empty/],
    ['zeros', new Uint8Array(4096), /nothing but zero bytes: its space was reserved and never filled/],
    ['Keras weights', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), /it is HDF5 \(a Keras tf_model\.h5\)/],
    ['Flax weights', Uint8Array.of(0x81, 0xa7, 0x65, 0x6c), /it is MessagePack \(a flax_model\.msgpack\)/],
    ['a pickle of something else', Uint8Array.of(0x80, 3, 0x7d, 0x2e), /a Python pickle, but not one of torch\.save/],
    ['an ONNX model', Uint8Array.of(8, 7, 0x12, 7, 0x70), /it is an ONNX model/],
    ['GGUF', 'GGUF\x03', /it is GGUF/],
    ['text', 'hello', /its content is no known form of checkpoint \(it begins with 68 65 6c 6c 6f\)/],
  ])('%s is called by its name', async (_, content, message) => {
    await expect(kindOf(content)).rejects.toThrow(message);
    await expect(kindOf(content)).rejects.toThrow(/^pytorch_model\.bin: /);
  });
});

describe('a folder', () => {
  const names = (files: Record<string, Uint8Array>) => openTensorFolder(fileSetOf(new Map(Object.entries(files)), 'F'));
  const bytes = goldenBytes('sharded.expected.safetensors');

  it('opens from files in a browser as from a disk', async () => {
    const blob = new Blob([goldenBytes('every-kind-legacy.bin')]);
    const source = await openTensorFolder(fileSetOf(new Map([['pytorch_model.bin', blob]]), 'dropped files'));
    expect(await readAll(source)).toEqual(sortedByName(expectedGolden('every-kind-legacy')));
  });

  it('prefers safetensors to pickles, and takes a single file of another name', async () => {
    const both = await names({ 'model.safetensors': bytes, 'pytorch_model.bin': goldenBytes('nested.bin') });
    expect(both.format).toBe('safetensors');
    const single = await names({ 'README.md': bytes, 'weights.pt': goldenBytes('nested.bin') });
    expect(single.format).toBe('torch-zip');
  });

  it('says what it has where that is no checkpoint, or several', async () => {
    await expect(names({ 'README.md': bytes })).rejects.toThrow('F has no file of weights. It has README.md');
    await expect(names({ 'a.pt': bytes, 'b.pt': bytes })).rejects.toThrow(
      'F has several files of weights (a.pt, b.pt)',
    );
    const index = goldenBytes('electra-tf1/model.ckpt-4000.index');
    await expect(names({ 'a.index': index, 'b.index': index })).rejects.toThrow(
      'several TensorFlow checkpoints: a.index, b.index',
    );
  });

  const shard = (name: string) => [name, goldenBytes(`sharded-safetensors/${name}`)] as const;
  const SHARDS = [1, 2, 3].map((n) => shard(`model-0000${n}-of-00003.safetensors`));
  const INDEX = 'model.safetensors.index.json';
  const index = JSON.parse(new TextDecoder().decode(goldenBytes(`sharded-safetensors/${INDEX}`))) as {
    weight_map: Record<string, string>;
  };
  const withMap = (change: (map: Record<string, string>) => void, shards = SHARDS) => {
    const map = { ...index.weight_map };
    change(map);
    const text = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
    return names({ ...Object.fromEntries(shards), [INDEX]: text });
  };
  const WORDS = 'bert.embeddings.word_embeddings.weight';

  it.each<[string, (map: Record<string, string>) => void, RegExp]>([
    [
      'a path upwards',
      (map) => Object.assign(map, { [WORDS]: '../secret' }),
      /it places bert\..* in "\.\.\/secret", expected a file beside it/,
    ],
    ['the folder above', (map) => Object.assign(map, { [WORDS]: '..' }), /in "\.\."/],
    ['an absolute path', (map) => Object.assign(map, { [WORDS]: '/etc/passwd' }), /in "\/etc\/passwd"/],
    ['a path of Windows', (map) => Object.assign(map, { [WORDS]: 'C:\\x' }), /in "C:\\\\x"/],
    [
      'a missing file',
      (map) => Object.assign(map, { [WORDS]: 'gone.safetensors' }),
      /it names gone\.safetensors, which is missing/,
    ],
    ['a tensor that is nowhere', (map) => Object.assign(map, { more: SHARDS[0][0] }), /more is not in model-00001/],
    [
      'a tensor that is not listed',
      (map) => void delete map[WORDS],
      /it has bert\..*word_embeddings\.weight, which the index does not list/,
    ],
    [
      'the wrong file',
      (map) => Object.assign(map, { [WORDS]: SHARDS[2][0] }),
      /which the index says is in model-00003/,
    ],
  ])('with an index that has %s is refused', async (_, change, message) => {
    await expect(withMap(change)).rejects.toThrow(message);
  });

  it('without one of its shards, or with the pointer to one, is refused', async () => {
    await expect(withMap(() => {}, SHARDS.slice(0, 2))).rejects.toThrow(
      'model-00003-of-00003.safetensors, which is missing',
    );
    const pointer = [SHARDS[2][0], new TextEncoder().encode(LFS)] as const;
    await expect(withMap(() => {}, [SHARDS[0], SHARDS[1], pointer])).rejects.toThrow(
      'F/model-00003-of-00003.safetensors: it is a Git LFS pointer',
    );
  });

  it('with an index of a million brackets is refused before it is parsed', async () => {
    const nested = new TextEncoder().encode(`{"weight_map":${'['.repeat(1e6)}`);
    await expect(names({ [INDEX]: nested })).rejects.toThrow('it is nested deeper than any index');
  });
});
