/** One of a few, all of them to be seen: radio buttons that look like pills. */
import './choice.css';

export function Choice<Value extends string>(props: {
  readonly legend: string;
  /** Whether only a screen reader hears the legend: where what stands around says it. */
  readonly isLegendHidden?: boolean;
  /** Of the radio buttons; another for each choice of a page. */
  readonly name: string;
  readonly options: readonly (readonly [value: Value, label: string])[];
  readonly value: Value;
  choose(value: Value): void;
}) {
  const { legend, isLegendHidden, name, options, value, choose } = props;
  return (
    <fieldset class="choice">
      <legend class={isLegendHidden ? 'visually-hidden' : undefined}>{legend}</legend>
      {options.map(([each, label]) => (
        <label key={each}>
          <input type="radio" name={name} checked={each === value} onChange={() => choose(each)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
