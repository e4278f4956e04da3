/** A text as the pieces of a model's tokenizer. */
import { z } from 'zod';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { STUDIO_ROLES, studioCall } from '../studioCall.js';
import { tokenPieces } from '../tokenPieces.js';

export const tokenizeTextCall = studioCall({
  input: z.strictObject({ model: z.string(), role: z.enum(STUDIO_ROLES), text: z.string().max(5000) }),
  run: (models, { model: id, role, text }) =>
    models.withModel(id, role, async (model) => tokenPieces(requireTokenizer(model), text)),
});
