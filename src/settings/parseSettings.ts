/** Reads settings by their schema and reports all problems at once, those among what did parse included. */
import type { z } from 'zod';
import { expectation, shownValue } from './expectation.js';
import { nearestName } from './nearestName.js';
import { fieldsOf, type SettingsSchema, typeAt } from './schema.js';
import { settingName } from './settingNames.js';

export interface ParseOptions {
  /** What is expected of a setting, where its type alone does not say enough. */
  readonly expected?: Readonly<Record<string, string>>;
  /** Names of fields that a user may well try and that cannot be set, and why. */
  readonly notSettable?: Readonly<Record<string, string>>;
}

export interface ParsedSettings<T> {
  /** What parsed, the rest at its default; undefined where nothing can be said of the rest. */
  readonly values?: T;
  /** One sentence a setting. */
  readonly problems: string[];
  /** Settings that are out of range; of those with fields, the fields: "model.hiddenSize". */
  readonly bad: ReadonlySet<string>;
  /** Settings that were given and parsed. */
  readonly given: ReadonlySet<string>;
}

type Issue = z.core.$ZodIssue;

/** Checks types, ranges and names. What does not parse is left out, so that contradictions among the rest can be reported too. */
export function parseSettings<S extends SettingsSchema>(
  schema: S,
  input: unknown,
  options: ParseOptions = {},
): ParsedSettings<z.output<S>> {
  const parsed = schema.safeParse(input, { reportInput: true });
  const issues = parsed.error?.issues ?? [];
  const bad = badNames(schema, issues);
  const values = parsed.success ? parsed.data : salvage(schema, input, issues);
  const names = typeof input === 'object' && input !== null ? Object.keys(input) : [];
  return {
    ...(values && { values }),
    problems: [...new Set(issues.flatMap((issue) => describeIssue(schema, issue, options)))],
    bad,
    given: new Set(names.filter((name) => !bad.has(name))),
  };
}

/** Problems without those that are about a setting that stands at its default because what was given is out of range. */
export function withoutMentions(problems: readonly string[], bad: ReadonlySet<string>): string[] {
  const wordings = [...bad].map((name) => settingName(name));
  return problems.filter((problem) => !wordings.some((name) => mentions(problem, name)));
}

/** Whether a name stands in a text as a whole, not as a part of another. */
function mentions(text: string, name: string): boolean {
  const rest = text.split(name);
  return rest.slice(1).some((after, i) => !/[\w.-]$/.test(rest[i]) && !/^(?:[\w-]|\.\w)/.test(after));
}

function badNames(schema: SettingsSchema, issues: readonly Issue[]): Set<string> {
  const outOfRange = issues.filter(({ code }) => code !== 'unrecognized_keys');
  return new Set(outOfRange.map(({ path }) => (fieldsOf(schema, path[0]) ? path.join('.') : String(path[0]))));
}

function salvage<S extends SettingsSchema>(schema: S, input: unknown, issues: readonly Issue[]) {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const good: Record<string, unknown> = { ...input };
  for (const issue of issues) {
    const [name, field] = issue.path as string[];
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (name === undefined) for (const key of unknown) delete good[key];
    else if (!fieldsOf(schema, name) || (field === undefined && unknown.length === 0)) delete good[name];
    else good[name] = without(good[name] as object, field === undefined ? unknown : [field]);
  }
  const retried = schema.safeParse(good);
  return retried.success ? retried.data : undefined;
}

function without(values: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

function describeIssue(schema: SettingsSchema, issue: Issue, { expected = {}, notSettable = {} }: ParseOptions) {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys((at ? fieldsOf(schema, at) : schema.shape) ?? {});
    return issue.keys.map((key) => unknownName(key, at, known, notSettable));
  }
  const [name, index] = issue.path;
  if (typeof index === 'number') {
    return [
      `${settingName(String(name))} has ${shownValue(issue.input)}; expected ${expectation(typeAt(schema, [name]), 'element')}`,
    ];
  }
  const found = issue.input === undefined ? 'is missing' : `is ${shownValue(issue.input)}`;
  if (!at) return [`the object of settings ${found}; expected names and values`];
  return [`${settingName(at)} ${found}; expected ${expected[at] ?? expectation(typeAt(schema, issue.path))}`];
}

function unknownName(
  key: string,
  at: string,
  known: readonly string[],
  notSettable: Readonly<Record<string, string>>,
): string {
  const where = at ? settingName(`${at}.${key}`) : key;
  if (at && notSettable[key]) return `${where} cannot be set; ${notSettable[key]}`;
  const nearest = nearestName(key, known);
  return nearest
    ? `${where} is not a setting; did you mean ${nearest}?`
    : `${where} is not a setting; known are ${known.join(', ')}`;
}
