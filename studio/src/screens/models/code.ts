/** The lines of TypeScript that make what this screen shows. */

export function inspectionCode(id: string): string {
  return `import { inspectModels } from 'pleiad/node';

for (const { model, parameters, missing, unused } of await inspectModels('${id}')) {
  console.log(model.architecture, parameters, missing, unused);
}
`;
}
