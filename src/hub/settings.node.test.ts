import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { hubSettings } from './settings.node.js';

const HOME = mkdtempSync(join(tmpdir(), 'hub-home-'));
afterAll(() => rmSync(HOME, { recursive: true }));

describe('settings of the hub', () => {
  it.each([
    [{}, join(homedir(), '.cache/huggingface/hub')],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }, '/h/hub'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/c' }, '/c'],
    [{ HF_HUB_CACHE: '~/models' }, join(homedir(), 'models')],
    [{ HF_HOME: '$DISK/hf', DISK: '/d' }, '/d/hf/hub'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's way of writing it
    [{ HF_HUB_CACHE: '${DISK}/$NONE', DISK: '/d' }, '/d/$NONE'],
  ])('finds the cache by the variables %j', (environment, folder) => {
    expect(hubSettings({}, environment).cacheFolder).toBe(folder);
    expect(hubSettings({ cacheFolder: '/given' }, environment).cacheFolder).toBe('/given');
  });

  it('takes the token from the variable, else from the file, unless told not to', () => {
    writeFileSync(join(HOME, 'token'), 'hf_file\n');
    writeFileSync(join(HOME, 'other'), 'hf_other');
    expect(hubSettings({}, { HF_HOME: HOME }).token).toBe('hf_file');
    expect(hubSettings({}, { HF_HOME: HOME, HF_TOKEN_PATH: join(HOME, 'other') }).token).toBe('hf_other');
    expect(hubSettings({}, { HF_HOME: HOME, HF_TOKEN: ' hf_variable\n' }).token).toBe('hf_variable');
    expect(hubSettings({}, { HF_HOME: HOME, HUGGING_FACE_HUB_TOKEN: 'hf_old' }).token).toBe('hf_old');
    expect(hubSettings({ token: 'hf_option' }, { HF_TOKEN: 'hf_variable' }).token).toBe('hf_option');
    expect(hubSettings({ token: false }, { HF_TOKEN: 'hf_variable' }).token).toBeUndefined();
    expect(hubSettings({}, { HF_HOME: HOME, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeUndefined();
    expect(hubSettings({}, { HF_HOME: join(HOME, 'nowhere') }).token).toBeUndefined();
  });

  it('is offline by either variable', () => {
    for (const word of ['1', 'ON', 'yes', 'True']) expect(hubSettings({}, { HF_HUB_OFFLINE: word }).offline).toBe(true);
    for (const word of ['0', '', 'no']) expect(hubSettings({}, { HF_HUB_OFFLINE: word }).offline).toBe(false);
    expect(hubSettings({}, { TRANSFORMERS_OFFLINE: '1' }).offline).toBe(true);
    expect(hubSettings({ offline: false }, { HF_HUB_OFFLINE: '1' }).offline).toBe(false);
  });

  it('asks the endpoint, without a slash at its end', () => {
    expect(hubSettings({}, {}).endpoint).toBe('https://huggingface.co');
    expect(hubSettings({}, { HF_ENDPOINT: 'https://mirror.example/hub/' }).endpoint).toBe('https://mirror.example/hub');
  });

  it('names everything that cannot be used', () => {
    const bad = { HF_ENDPOINT: 'mirror', HF_TOKEN: 'hf a', HF_HUB_ETAG_TIMEOUT: 'soon', HF_HUB_DOWNLOAD_TIMEOUT: '-1' };
    let error: unknown;
    try {
      hubSettings({}, bad);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toHaveLength(4);
    expect((error as SettingsError).message).toMatch(/HF_ENDPOINT is "mirror".*/);
    expect((error as SettingsError).message).not.toContain('hf a');
    expect(hubSettings({}, { HF_HUB_DOWNLOAD_TIMEOUT: '30' }).stallTimeoutMs).toBe(30_000);
  });
});
