"""Models as people write them: one region each, and a step as accurate as eager's."""

import copy
import logging

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch_models import same_step

import tilefuse.torch


class Attention(nn.Module):
    """A transformer's layer: causal attention and a gated perceptron around norms."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(8), nn.RMSNorm(8)
        self.heads, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.gate = nn.Linear(8, 12)
        self.down = nn.Linear(6, 8, bias=False)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2)
                   for t in self.heads(self.first(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.down(F.glu(self.gate(self.second(x))))


class MaskedAttention(nn.Module):
    """PyTorch's own attention, with padding."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        # The second sequence is all padding.
        padding = torch.arange(x.shape[1]) >= torch.tensor([[3], [0]])
        return self.attention(x, x, x, key_padding_mask=padding, need_weights=False)[0]


class Upsampled(nn.Module):
    """A decoder: nearest neighbours, a skip connection, shuffled channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.merge = nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 4, 1))
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x):
        y = self.conv(F.max_pool2d(x, 2)).relu_()
        y = F.interpolate(y, scale_factor=2, mode="nearest")
        y = self.shuffle(self.merge(torch.cat([x, y], 1)))
        return F.interpolate(y, size=(12, 6))


class Excited(nn.Module):
    """Squeeze and excite, with channels last."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        y = self.conv(x.contiguous(memory_format=torch.channels_last)).relu_()
        return y * F.hardsigmoid(self.scale(self.pool(y)), inplace=True)


class Indexed(nn.Module):
    """Values chosen by actions, a mask that is written to, distances."""

    def __init__(self):
        super().__init__()
        self.values = nn.Linear(5, 4)

    def forward(self, x):
        y = self.values(x)
        chosen = y.gather(1, (torch.arange(x.shape[0]) > 2).long().unsqueeze(1))
        y = y * 1.0
        y[y < 0] = 0.25
        y[torch.arange(x.shape[0]) == 1] = chosen.sum()
        return chosen, y, F.pairwise_distance(y, y.flip(1))


class Recurrent(nn.Module):
    """Steps of a cell, written out."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x):
        state = x.new_zeros(x.shape[0], 4)
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
        return state


MODELS = {"attention": (Attention, (2, 5, 8)), "masked": (MaskedAttention, (2, 5, 8)),
          "excited": (Excited, (2, 2, 5, 6)), "upsampled": (Upsampled, (2, 2, 4, 6)),
          "indexed": (Indexed, (6, 5)), "recurrent": (Recurrent, (3, 2, 3))}


@pytest.mark.parametrize("name", MODELS)
def test_model(name, caplog, graphs):
    torch._dynamo.reset()
    torch.manual_seed(0)
    caplog.set_level(logging.INFO, logger="tilefuse.torch")
    make, shape = MODELS[name]
    module = make()
    same_step(tilefuse.torch.fuse(copy.deepcopy(module)), module,
              torch.randn(shape, requires_grad=True))
    assert [r.message for r in caplog.records if r.name == "tilefuse.torch"] == []
    assert [len(g.plan.regions) for g in graphs] == [1]


def test_more_tensors_than_a_schema_takes(caplog, graphs):
    """A model with more parameters and statistics than an operator of PyTorch has arguments."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    caplog.set_level(logging.INFO, logger="tilefuse.torch")
    module = nn.Sequential(*[
        layer for _ in range(11) for layer in (nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Tanh())]).double()
    fused = tilefuse.torch.fuse(copy.deepcopy(module))
    same_step(fused, module, torch.randn(6, 3, dtype=torch.float64, requires_grad=True))
    assert [r.message for r in caplog.records if r.name == "tilefuse.torch"] == []
    region, = graphs[0].plan.regions
    assert len(region.inputs) > 64 and len(region.state) == 33


def test_compiled_training_step(recwarn):
    """A whole step under torch.compile: Dynamo then sees every frame of the backward pass, and
    leaves tilefuse's own alone."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    module = nn.Linear(4, 3)
    own = copy.deepcopy(module)
    optimizers = [torch.optim.SGD(m.parameters(), 0.1, momentum=0.9) for m in (module, own)]

    def step(m, optimizer, x):
        loss = m(x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss
    fused = torch.compile(step, backend=tilefuse.torch.backend)
    for seed in range(3):
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(fused(module, optimizers[0], x), step(own, optimizers[1], x))
    torch.testing.assert_close(module.state_dict(), own.state_dict())
    assert not [w for w in recwarn if "does not know how to trace" in str(w.message)]
