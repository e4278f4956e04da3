/** Settings of a server: one schema, of which the command line's flags are made. */
import { z } from 'zod';
import { SettingsError } from '../errors/errors.js';
import { parseSettings } from '../settings/parseSettings.js';
import { settingName } from '../settings/settingNames.js';

const count = () => z.number().int().min(1);
/** Words with commas between, as a command line has them. */
const words = () =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((word) => word.trim()) : value),
    z.array(z.string().min(1)),
  );

export const servingSettingsSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen at. Another than this machine alone needs a key. Default 127.0.0.1.'),
  port: z.number().int().min(0).max(65535).default(8080).describe('Port; 0 takes a free one. Default 8080.'),
  allowedHosts: words()
    .default([])
    .describe(
      'Names that clients may call the server by, with commas between. Default: localhost and any address in digits.',
    ),
  corsOrigins: words()
    .default([])
    .describe('Origins whose pages may call it, such as https://example.org, with commas between. Default none.'),
  maxBatchTokens: count().default(8192).describe('Tokens of a batch, its padding included. Default 8192.'),
  maxBatchSize: count().max(1024).default(32).describe('Texts of a batch. Default 32.'),
  maxWait: z
    .number()
    .min(0)
    .max(60_000)
    .default(0)
    .describe('Milliseconds that a batch which is not full waits for more. Default 0: none waits.'),
  maxQueue: count().default(512).describe('Requests of a model that wait; more are answered 429. Default 512.'),
  maxBody: count().default(2_000_000).describe('Bytes of a request. Default 2000000.'),
  maxTextLength: count().default(100_000).describe('Characters of a text. Default 100000.'),
  maxTexts: count().default(128).describe('Texts of a request. Default 128.'),
  timeout: z
    .number()
    .positive()
    .max(3600)
    .default(60)
    .describe('Seconds until a request is given up (504). Default 60.'),
  drain: z
    .number()
    .min(0)
    .max(3600)
    .default(30)
    .describe('Seconds in which a server that is stopped answers what it has accepted. Default 30.'),
  reload: z
    .number()
    .min(0)
    .max(86_400)
    .default(5)
    .describe('Seconds between looks at the folders; a changed model is taken over. 0 never looks. Default 5.'),
  load: z
    .enum(['start', 'request'])
    .default('start')
    .describe('When models are loaded: at the start, or when first asked for. Default start.'),
});

export type ServingSettings = z.output<typeof servingSettingsSchema>;

/** Addresses that only this machine reaches. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** @throws SettingsError naming all that is wrong; without a key, an address that others reach */
export function parseServingSettings(input: object, { hasKey }: { readonly hasKey: boolean }): ServingSettings {
  const { values, problems } = parseSettings(servingSettingsSchema, input);
  const all = [...problems];
  if (values && !hasKey && !isLoopback(values.host)) {
    all.push(
      `${settingName('host')} is ${values.host}, which other machines reach, and there is no key; set one (PLEIAD_API_KEY), or leave ${settingName('host')} out`,
    );
  }
  for (const origin of values?.corsOrigins ?? []) {
    if (isOrigin(origin)) continue;
    all.push(
      `${settingName('corsOrigins')} has ${JSON.stringify(origin)}; expected origins such as https://example.org, without a path`,
    );
  }
  if (!values || all.length > 0) throw new SettingsError(all);
  return values;
}

function isOrigin(word: string): boolean {
  return URL.canParse(word) && new URL(word).origin === word;
}
