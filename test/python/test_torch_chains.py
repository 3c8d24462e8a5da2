"""The chains of benchmarks/cases.json, shrunk, through the backend: nothing falls back, and a
step is as accurate as eager's."""

import copy
import logging
import pathlib
import sys

import pytest
import torch
from torch_models import same_step

import tilefuse.torch

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))
import models  # noqa: E402

QUICK = ("conv3x3-relu-maxpool3s2p1", "depthwise3x3-bn-relu6", "conv3x3-groupnorm-swish",
         "convt5s3-gelu", "linear-layernorm-gelu", "conv3x3-softmax-w")


def shrink(case):
    """The same chain on few channels and small images."""
    n, c, *space = case["input"]
    depthwise = any(l.get("groups") == c for l in case["layers"])
    is_linear = not space
    c = min(c, 20 if is_linear else 8)
    layers = []
    for layer in case["layers"]:
        layer = dict(layer)
        for key in ("out_channels", "out_features"):
            if key in layer:
                layer[key] = c if depthwise else min(layer[key], 24 if is_linear else 8)
        if "groups" in layer:
            layer["groups"] = c if depthwise else 4
        if "num_groups" in layer:
            layer["num_groups"] = 4
        layers.append(layer)
    rows = 12 if is_linear else 3
    return {"input": [min(n, rows), c, *[min(s, 15 + i) for i, s in enumerate(space)]],
            "layers": layers}


@pytest.mark.parametrize("name", [
    pytest.param(c["name"], marks=() if c["name"] in QUICK else pytest.mark.slow)
    for c in models.CASES])
def test_chain(name, caplog, graphs):
    torch._dynamo.reset()
    torch.manual_seed(0)
    caplog.set_level(logging.INFO, logger="tilefuse.torch")
    case = shrink(next(c for c in models.CASES if c["name"] == name))
    module = models._chain(case)
    x = torch.rand(case["input"], requires_grad=True)
    same_step(tilefuse.torch.fuse(copy.deepcopy(module)), module, x)
    assert [r.message for r in caplog.records if r.name == "tilefuse.torch"] == []
    assert len(graphs) == 1 and len(graphs[0].plan.regions) == 1
