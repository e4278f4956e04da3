"""Prints the scalars of a TensorBoard events file as TensorBoard itself reads them.

    python test/golden/make_tensorboard_check.py RUN/events.out.tfevents.*

One JSON object: {tag: [[step, value], ...]}. It is how the events writer of Pleiad is checked by hand.
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
from tensorboard.util import tensor_util


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_tensorboard_check.py EVENTS_FILE")
    # 0 keeps every point; the default thins them out.
    events = EventAccumulator(sys.argv[1], size_guidance={SCALARS: 0, TENSORS: 0})
    events.Reload()
    tags = events.Tags()
    scalars = {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags[SCALARS]}
    # Scalars of summary version 2 are stored as rank-0 tensors.
    for tag in tags[TENSORS]:
        values = [(event.step, tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        scalars[tag] = [[step, value.item()] for step, value in values if value.size == 1 and value.dtype.kind == "f"]
    if not any(scalars.values()):
        sys.exit(f"{sys.argv[1]}: TensorBoard finds no scalars in it")
    print(json.dumps(scalars, indent=1))


if __name__ == "__main__":
    main()
