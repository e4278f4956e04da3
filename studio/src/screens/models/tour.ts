/** What the tour of this screen has the reader do. */
import type { TourStep } from '../../app/tour.js';

export const TOUR: readonly TourStep[] = [];
