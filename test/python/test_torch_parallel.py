"""The backend under DistributedDataParallel and in two threads."""

import copy
import os
import socket
import threading

import torch
import torch.distributed as dist
from torch import nn

import tilefuse.torch


def make():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(16, 3)).double()


def train_part(rank, size, port, batch, whole_model, path):
    """Gradients of one part of the batch, averaged over the processes. The backend sees the
    module inside DDP, or (whole_model) DDP itself, which Dynamo splits by buckets."""
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank,
                            world_size=size)
    module = make()
    if whole_model:
        model = torch.compile(nn.parallel.DistributedDataParallel(module),
                              backend=tilefuse.torch.backend)
    else:
        model = nn.parallel.DistributedDataParallel(tilefuse.torch.fuse(module))
    model(batch.chunk(size)[rank]).square().mean().backward()
    if rank == 0:
        torch.save([p.grad for p in module.parameters()], path)
    dist.barrier()
    # gloo's threads outlive even a destroyed group, of plain DDP too, and an interpreter
    # that shuts down beside them may abort.
    os._exit(0)


def check_ddp(path, whole_model):
    batch = torch.randn(4, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    reference = make()
    reference(batch).square().mean().backward()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(train_part, (2, port, batch, whole_model, path), nprocs=2)
    for found, parameter in zip(torch.load(path), reference.parameters()):
        torch.testing.assert_close(found, parameter.grad, rtol=1e-12, atol=1e-14)


def test_ddp_of_a_fused_module(tmp_path):
    check_ddp(tmp_path / "gradients", False)


def test_backend_of_ddp(tmp_path):
    check_ddp(tmp_path / "gradients", True)


def test_two_threads(graphs):
    """Two threads share a fused module; each step gives the gradients of one alone."""
    module = make()
    fused = tilefuse.torch.fuse(module)
    inputs = [torch.randn(4, 2, 6, 6, dtype=torch.float64) for _ in range(2)]
    fused(inputs[0].clone().requires_grad_())
    assert graphs[0].plan.regions
    results = [[], []]

    def work(index):
        for _ in range(5):
            x = inputs[index].clone().requires_grad_()
            gradient, = torch.autograd.grad(fused(x).square().sum(), x)
            results[index].append(gradient)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for x, found in zip(inputs, results):
        leaf = x.clone().requires_grad_()
        expected, = torch.autograd.grad(copy.deepcopy(module)(leaf).square().sum(), leaf)
        assert len(found) == 5
        for gradient in found:
            torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-14)
            assert torch.equal(gradient, found[0])
