#!/bin/sh
# tensorboard.sh TEST_EVENTS TEST_PROJECTOR: what TensorBoard itself makes of the files that `test_events FOLDER` and
# `test_projector FOLDER` write. $PYTHON names the Python that has it; without it the test is skipped.
set -u
python=${PYTHON:-python3}
"$python" -c 'import tensorboard' 2>/dev/null || { echo "no tensorboard package for $python"; exit 77; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
"$1" "$folder" && "$2" "$folder" || exit 1
"$python" - "$folder" <<'END'
import json
import logging
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client

logging.disable(logging.CRITICAL)
folder = sys.argv[1]

events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
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

routes = ProjectorPlugin(TBContext(logdir=folder)).get_plugin_apps()


def get(route, query):
    answer = Client(routes[route]).get("/?run=.&name=codes&" + query)
    assert answer.status_code == 200, (route, answer.status, answer.get_data())
    return answer.get_data()


(embedding,) = json.loads(get("/info", ""))["embeddings"]
assert embedding["tensorName"] == "codes" and embedding["tensorShape"] == [11, 3], embedding
assert embedding["sprite"]["singleImageDim"] == [6, 4]
tensor = np.frombuffer(get("/tensor", ""), np.float32)
with open(folder + "/tensors.tsv", encoding="ascii") as file:
    assert (tensor == np.array(file.read().split(), np.float32)).all() and tensor.size == 33
labels = get("/metadata", "").decode().splitlines()
assert len(labels) == 11 and labels[0] == "cat" and labels[1] == "a\\tb" and labels[6] == "b\u00e4r", labels
assert get("/sprite_image", "")[:8] == b"\x89PNG\r\n\x1a\n"
print("TensorBoard reads all of it")
END
