"""The example subgraphs in PyTorch, training mode. Each takes a dict of tensors by
the example's argument names and returns a tuple of its results."""

import torch
import torch.nn.functional as F


def p82(t):
    conv = F.conv2d(t["x"], t["w"], t["b"])
    return (F.max_pool2d(torch.tanh(conv) * 2.0 + t["bias"], 4),)


def p54(t):
    conv = F.conv2d(t["x"], t["w"], t["b"])
    return (F.gelu(F.leaky_relu(conv * t["multiplier"], 0.01)),)


def batch_norm(z, t):
    mean, var = t["mean"].clone(), t["var"].clone()
    y = F.batch_norm(z, mean, var, t["gamma"], t["beta"], training=True, momentum=0.1,
                     eps=1e-5)
    return y, mean, var


def p73(t):
    y, mean, var = batch_norm(F.conv2d(t["x"], t["w"], t["b"]), t)
    return y * 2.0, mean, var


def p97(t):
    y, mean, var = batch_norm(F.linear(t["x"], t["w"], t["b"]), t)
    s = (y + t["bias"]) / 1.0
    return s * torch.sigmoid(s), mean, var


def p91(t):
    conv = F.conv_transpose2d(t["x"], t["w"], t["b"], stride=2, padding=1,
                              output_padding=1)
    return (torch.sigmoid((torch.softmax(conv, 1) + t["bias"]) * 2.0),)


ALL = {"p82": p82, "p54": p54, "p73": p73, "p97": p97, "p91": p91}
