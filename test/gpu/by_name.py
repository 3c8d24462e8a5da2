"""A user's program: an installed tilefuse, found by its name. Not a test by itself.

    by_name.py cpu|cuda

Trains a small network through torch.compile(model, backend="tilefuse") beside eager, then
evaluates it; prints what ran.
"""

import copy
import logging
import sys

import torch


class Left(logging.Handler):
    """Collects what was left to PyTorch."""

    def emit(self, record):
        left.append(record.getMessage())


left = []
logging.getLogger("tilefuse.torch").addHandler(Left())
device = sys.argv[1]
torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)
eager = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, 3), torch.nn.BatchNorm2d(16), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Flatten(), torch.nn.Linear(16 * 49, 10)).to(device)
model = copy.deepcopy(eager)
compiled = torch.compile(model, backend="tilefuse")
x = torch.rand(8, 3, 16, 16, device=device)
labels = torch.randint(0, 10, (8,), device=device)
losses = []
for module, call in ((eager, eager), (model, compiled)):
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(5):
        loss = torch.nn.functional.cross_entropy(call(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
assert abs(losses[0] - losses[1]) < 1e-3, losses
for (name, a), b in zip(eager.state_dict().items(), model.state_dict().values()):
    torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-4, msg=name)
model.eval()
eager.eval()
with torch.no_grad():
    torch.testing.assert_close(compiled(x), eager(x), rtol=1e-3, atol=1e-4)
assert not left, left
import tilefuse  # noqa: E402

print(tilefuse.__path__[0], torch.__version__, sys.version.split()[0], "losses", losses)
