/** A model's parts, its load report and its tokenizer. */
import { z } from 'zod';
import { inspectionOf } from '../inspection.js';
import { STUDIO_ROLES, studioCall } from '../studioCall.js';

export const inspectModel = studioCall({
  input: z.strictObject({ model: z.string(), role: z.enum(STUDIO_ROLES) }),
  run: (models, { model: id, role }) =>
    models.withModel(id, role, async ({ description, report, tokenizer }) =>
      inspectionOf(description, report, tokenizer),
    ),
});
