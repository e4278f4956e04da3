import { describe, expect, it } from 'vitest';
import { HubError } from './hubError.js';
import {
  checkFileName,
  checkRepositoryName,
  checkRevision,
  contentName,
  isCommit,
  repositoryFolder,
  repositoryNameProblem,
} from './names.js';

describe('names of the hub', () => {
  it.each(['google/electra-small-discriminator', 'bert-base-cased', 'a/b', '0_o/x.y-z'])('takes %s', (name) => {
    expect(checkRepositoryName(name)).toBe(name);
  });

  // The examples of huggingface_hub's own documentation first.
  it.each([
    ['datasets/foo/bar', /more than one slash/],
    ['.repo_id', /no - or \. at their ends/],
    ['foo--bar', /-- or \.\./],
    ['foo.git', /ends in \.git/],
    ['other..repo..id', /-- or \.\./],
    ['', /empty/],
    ['a/', /letters, digits/],
    ['/a', /letters, digits/],
    ['a/..', /-- or \.\./],
    ['a b', /letters, digits/],
    ['a\\b', /letters, digits/],
    ['한국/모델', /letters, digits/],
    ['a'.repeat(97), /more than 96/],
  ])('refuses %j', (name, reason) => {
    expect(repositoryNameProblem(name)).toMatch(reason);
    expect(() => checkRepositoryName(name)).toThrow(HubError);
  });

  it('gives a repository one folder', () => {
    expect(repositoryFolder('google/electra-small')).toBe('models--google--electra-small');
    expect(repositoryFolder('bert-base-cased')).toBe('models--bert-base-cased');
  });

  it.each(['main', 'v1.0', 'refs/pr/1', 'refs/convert/parquet'])('takes the revision %s', (revision) => {
    expect(checkRevision(revision)).toBe(revision);
  });

  it.each(['', '..', '../main', 'a/../../b', '/main', 'a//b', 'a\\b', 'C:main', 'a\0b', 'main/', './main', 'a/..'])(
    'refuses the revision %j',
    (revision) => {
      expect(() => checkRevision(revision)).toThrow(/is not a revision/);
    },
  );

  it.each(['config.json', 'onnx/model.onnx', 'pytorch_model-00001-of-00002.bin', '.gitattributes', '모델.bin', 'a..b'])(
    'takes the file %s',
    (name) => {
      expect(checkFileName(name, 'x')).toBe(name);
    },
  );

  it.each([
    '../x',
    'a/../../x',
    '..',
    '.',
    './x',
    'a/./b',
    '/etc/passwd',
    '//host/share',
    '\\\\host\\share',
    'a\\..\\..\\x',
    'C:\\x',
    'C:x',
    'x:stream',
    'a\0.json',
    'a\n',
    'a//b',
    'a/',
    '',
    '.. /x',
    '.../x',
    'a'.repeat(256),
  ])('refuses the file %j, and says who named it', (name) => {
    expect(() => checkFileName(name, 'repo/index.json')).toThrow(
      /^repo\/index\.json names the file .*Nothing was written/,
    );
  });

  it('reads a hash out of an ETag', () => {
    const hash = 'a'.repeat(40);
    for (const etag of [`"${hash}"`, `W/"${hash}"`, hash]) expect(contentName(etag, 'x')).toBe(hash);
    for (const etag of ['""', '".."', '"a/b"', '"a\\b"', '".hidden"', '"a b"', `"${'a'.repeat(129)}"`]) {
      expect(() => contentName(etag, 'x'), etag).toThrow(/expected|gives the ETag/);
    }
  });

  it('knows a commit', () => {
    expect(isCommit('0123456789abcdef'.repeat(3).slice(0, 40))).toBe(true);
    for (const word of ['main', 'a'.repeat(39), 'A'.repeat(40), `${'a'.repeat(40)}\n`])
      expect(isCommit(word)).toBe(false);
  });
});
