"""The training of examples/cpp/train_cnn.cpp, in PyTorch: its loss curve."""

import numpy
import torch
import torch.nn.functional as F

BATCHES, BATCH, CLASSES, SIDE = 4, 64, 4, 16


def make_uniform(seed):
    """std::mt19937's numbers as float32 in [0, 1)."""
    generator = numpy.random.MT19937()
    generator._legacy_seeding(seed)
    return lambda: numpy.float32(int(generator.random_raw()) * 2.0 ** -32)


def make_batch(uniform):
    images = numpy.zeros((BATCH, 1, SIDE, SIDE), numpy.float32)
    target = numpy.zeros((BATCH, CLASSES), numpy.float32)
    for n in range(BATCH):
        kind = int(uniform() * numpy.float32(CLASSES))
        place = int(uniform() * numpy.float32(SIDE // 2)) + kind % 2 * (SIDE // 2)
        for i in range(SIDE * SIDE):
            row, column = divmod(i, SIDE)
            is_bar = (row if kind < 2 else column) == place
            images[n, 0, row, column] = uniform() + numpy.float32(0.5 if is_bar else 0)
        target[n, kind] = 1
    return torch.from_numpy(images), torch.from_numpy(target)


def make_parameters(uniform):
    def weights(shape, fan_in):
        bound = numpy.float32(1) / numpy.sqrt(numpy.float32(fan_in))
        count = int(numpy.prod(shape))
        values = [(numpy.float32(2) * uniform() - numpy.float32(1)) * bound
                  for _ in range(count)]
        return torch.tensor(numpy.array(values, numpy.float32).reshape(shape))

    made = {"w1": weights((8, 1, 3, 3), 9)}
    made.update(gamma1=torch.ones(8), beta1=torch.zeros(8))
    made["w2"] = weights((16, 8, 3, 3), 72)
    made.update(gamma2=torch.ones(16), beta2=torch.zeros(16))
    made["w3"] = weights((4, 256), 256)
    made["b3"] = weights((4,), 256)
    return {name: value.requires_grad_() for name, value in made.items()}


def compute_loss(p, x, target):
    for i, w in (("1", p["w1"]), ("2", p["w2"])):
        x = F.conv2d(x, w, padding=1)
        x = F.batch_norm(x, None, None, p["gamma" + i], p["beta" + i], True)
        x = F.max_pool2d(F.relu(x), 2)
    logits = F.linear(x.reshape(BATCH, -1), p["w3"], p["b3"])
    return F.cross_entropy(logits, target)


def train(steps):
    """The loss of each step."""
    uniform = make_uniform(1)
    batches = [make_batch(uniform) for _ in range(BATCHES)]
    parameters = make_parameters(uniform)
    optimiser = torch.optim.SGD(parameters.values(), lr=0.02, momentum=0.9)
    losses = []
    for step in range(steps):
        loss = compute_loss(parameters, *batches[step % BATCHES])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
