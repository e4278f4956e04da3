/** A run's events with what can be expected of it: after the first, and again when its time has become steps. */
import type { Engine } from '../engine/engine.js';
import { engineFlops } from '../training/engineSpeed.js';
import type { ForecastEvent, TrainingEvent } from '../training/events.js';
import { estimatedSteps, type Forecast, type ForecastOf, forecast } from './forecast.js';

/**
 * Nothing is said of a run that is resumed, or that begins with trained weights: the recorded runs began at random.
 * @param engine  to estimate the steps of a time by; without it, nothing is said of a time before it has been measured
 */
export async function* withForecast(
  events: AsyncGenerator<TrainingEvent>,
  run: ForecastOf,
  engine: Engine | undefined,
): AsyncGenerator<TrainingEvent> {
  let told: Forecast | undefined;
  let isNew = run.settings.from === undefined;
  for await (const event of events) {
    yield event;
    if (event.type === 'started') {
      isNew &&= event.step === 0;
      told = isNew ? await beforeTraining(run, engine) : undefined;
      if (told) yield eventOf(told, event.step);
    }
    if (event.type === 'planned' && isNew) {
      const measured = forecast(run, event.totalSteps, { isEstimate: false });
      if (measured.reach !== told?.reach) yield eventOf(measured, event.step);
    }
  }
}

async function beforeTraining(run: ForecastOf, engine: Engine | undefined): Promise<Forecast | undefined> {
  const { steps } = run.settings;
  if (steps !== undefined) return forecast(run, steps, { isEstimate: false });
  return engine && forecast(run, estimatedSteps(run, await engineFlops(engine)), { isEstimate: true });
}

function eventOf(told: Forecast, step: number): ForecastEvent {
  return { type: 'forecast', step, ...told };
}
