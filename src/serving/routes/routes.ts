/** The one table of routes that a model answers. Adding one is an entry in one of these lists. */
import { HUB_ROUTES } from './hubRoutes.js';
import { OPENAI_ROUTES } from './openAiRoutes.js';
import { OWN_ROUTES } from './ownRoutes.js';
import type { Route } from './route.js';
import { TEI_ROUTES } from './teiRoutes.js';

export const ROUTES: readonly Route[] = [...OWN_ROUTES, ...HUB_ROUTES, ...TEI_ROUTES, ...OPENAI_ROUTES];
