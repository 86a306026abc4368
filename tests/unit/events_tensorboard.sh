#!/bin/sh
# events_tensorboard.sh TEST_EVENTS: what TensorBoard itself reads from the files that `test_events FOLDER` writes.
# $PYTHON names the Python that has it; without it the test is skipped.
set -u
python=${PYTHON:-python3}
"$python" -c 'import tensorboard' 2>/dev/null || { echo "no tensorboard package for $python"; exit 77; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
"$1" "$folder" || exit 1
"$python" - "$folder" <<'END'
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
assert tags["scalars"] == ["loss/train"] and tags["images"] == ["images"] and tags["histograms"] == ["weights"], tags
scalars = events.Scalars("loss/train")
assert [s.step for s in scalars] == list(range(10))
assert all(abs(s.value - 1 / (1 + s.step)) < 1e-7 for s in scalars)
(image,) = events.Images("images")
assert (image.step, image.width, image.height) == (3, 32, 22), image
assert image.encoded_image_string[:8] == b"\x89PNG\r\n\x1a\n"
histograms = events.Histograms("weights")
assert len(histograms) == 10
value = histograms[0].histogram_value
assert value.num == 1000 and sum(value.bucket) == 1000 and -1 <= value.min < -0.99 and 0.99 < value.max < 1
assert value.bucket_limit == sorted(value.bucket_limit) and len(value.bucket) == len(value.bucket_limit)
print("TensorBoard reads all of it")
END
