/** Findings as SARIF 2.1.0 (OASIS), which editors and code hosts show beside the text. */
import { VERSION } from '../version.js';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly text: string;
  readonly doubt: number;
  readonly proposals: readonly { readonly text: string; readonly score: number }[];
}

const RULE = 'doubtful-word';

/** Columns count UTF-16 units from 1, as in editors. */
export function sarifLog(findings: readonly Finding[]): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'pleiad proofread',
            version: VERSION,
            rules: [{ id: RULE, shortDescription: { text: 'A word that does not seem to belong here.' } }],
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map(toResult),
      },
    ],
  };
}

function toResult({ file, line, column, endLine, endColumn, text, doubt, proposals }: Finding): object {
  const region = { startLine: line, startColumn: column, endLine, endColumn };
  const artifactLocation = { uri: file.split(/[\\/]/).map(encodeURIComponent).join('/') };
  const others = proposals.map((proposal) => (proposal.text === '' ? 'leave it out' : `"${proposal.text}"`)).join(', ');
  return {
    ruleId: RULE,
    level: 'warning',
    rank: 100 * doubt,
    message: { text: `"${text}" does not seem to belong here${others ? `; perhaps ${others}` : ''}` },
    locations: [{ physicalLocation: { artifactLocation, region } }],
    fixes: proposals.map((proposal) => ({
      description: { text: proposal.text === '' ? 'Leave it out' : `Write "${proposal.text}"` },
      artifactChanges: [
        { artifactLocation, replacements: [{ deletedRegion: region, insertedContent: { text: proposal.text } }] },
      ],
    })),
  };
}
