/**
 * How messages name a setting. The library says `learningRate`, the property that a caller writes; the command line says
 * `--learning-rate`, the flag that a person types. A message asks here when it is made, so that it is right wherever it ends
 * up: in an error, in a warning of a run, in a log. Process-wide, as a locale is: one process speaks to one kind of reader.
 */
export type SettingValue = string | number | boolean | readonly string[];

export interface SettingWording {
  /** @param setting  a property, or a field of one, such as `model.hiddenSize` */
  name(setting: string): string;
  /** The setting with a value, as it would be given. */
  assignment(setting: string, value: SettingValue): string;
}

const PROPERTIES: SettingWording = {
  name: (setting) => setting,
  assignment: (setting, value) => `${setting}: ${JSON.stringify(value)}`,
};

let wording = PROPERTIES;

/** Sets how messages name settings from now on; without an argument, by property again. */
export function nameSettingsBy(next: SettingWording = PROPERTIES): void {
  wording = next;
}

/** `learningRate`, or `--learning-rate`. */
export function settingName(setting: string): string {
  return wording.name(setting);
}

/** `newHead: true`, or `--new-head`; `objective: "electra"`, or `--objective electra`; `by: ["mlm"]`, or `--by mlm`. */
export function settingWith(setting: string, value: SettingValue): string {
  return wording.assignment(setting, value);
}
