"""PyTorch integration: a torch.compile backend with tilefuse's own backward pass.

    model = torch.compile(model, backend="tilefuse")
    model = tilefuse.torch.fuse(model)
    print(tilefuse.torch.explain(model, x))
"""

from . import contractions, losses, norms, pointwise, pooling, reductions, shapes  # noqa: F401
from .backend import backend
from .explanation import Explanation, explain
from .modules import fuse
from .operators import Operator, Programs, define

__all__ = ["Explanation", "Operator", "Programs", "backend", "define", "explain", "fuse"]
