/**
 * What a page of the Studio can ask of a model: one call, its input as a zod schema, and the work. The same function runs in a
 * worker of the tab and behind a route of the server, so that a screen does not know where its model computes.
 */
import type { z } from 'zod';
import type { Model } from '../pretrained/model.js';

/** Which of a model folder's or a pair's models does the work. */
export const STUDIO_ROLES = ['generator', 'discriminator', 'model'] as const;
export type StudioRole = (typeof STUDIO_ROLES)[number];

export interface StudioModelSummary {
  /** What the address and the calls name it by: letters, digits, `-`, `_` and `.`. */
  readonly id: string;
  /** Its models and their classes, such as `{ generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' }`. */
  readonly roles: Readonly<Partial<Record<StudioRole, string>>>;
  /** Of a checkpoint in a series: how much it has read, in tokens; the time slider stands on it. */
  readonly tokensSeen?: number;
  /** The series that it is a checkpoint of. */
  readonly series?: string;
  /** `en`, `ko`; undefined where it is not known. */
  readonly language?: string;
  /** Bytes to load before it computes. */
  readonly bytes?: number;
}

/** The models that a page may use: those in the box, those named at the start, those that it trained or was given. */
export interface StudioModels {
  list(): Promise<readonly StudioModelSummary[]>;
  /**
   * Lends a model for one piece of work; it is loaded when first asked for and kept.
   * @throws SettingsError when there is no model of that id, or it lacks that role
   */
  withModel<T>(id: string, role: StudioRole, work: (model: Model) => Promise<T>): Promise<T>;
}

export interface StudioCall<Input = unknown, Output = unknown> {
  readonly input: z.ZodType<Input>;
  /** The result can be structured-cloned and written as JSON: numbers, strings, plain arrays and objects. */
  run(models: StudioModels, input: Input, signal?: AbortSignal): Promise<Output>;
}

/** Keeps the types of input and output. */
export const studioCall = <Input, Output>(call: StudioCall<Input, Output>): StudioCall<Input, Output> => call;
