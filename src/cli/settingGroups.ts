/** The headings under which a command's help lists its settings. */

export interface SettingGroups {
  /** All that `--help` shows, in that order; `--help-all` shows the rest by group. */
  readonly common: readonly string[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

export const OTHER_SETTINGS = 'Other settings';

/** The heading that a setting stands under; undefined for the common ones. */
export function groupOf({ common, groups }: SettingGroups, setting: string): string | undefined {
  if (common.includes(setting)) return undefined;
  const found = Object.entries(groups).find(([, names]) => names.includes(setting));
  return found?.[0] ?? OTHER_SETTINGS;
}

/** Where a setting stands: the common ones first, in that order, then the groups. */
export function helpOrder({ common, groups }: SettingGroups, setting: string): number {
  const all = [...common, ...Object.values(groups).flat()];
  return all.includes(setting) ? all.indexOf(setting) : all.length;
}
