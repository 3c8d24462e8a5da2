"""Seeds are fresh in every run and printed; TILEFUSE_SEED repeats one."""

import os
import random

import pytest
import torch

SEED = int(os.environ.get("TILEFUSE_SEED", random.randrange(2 ** 31)))


def pytest_report_header():
    return f"seed {SEED} (TILEFUSE_SEED={SEED} repeats it)"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out of the quick tier")


@pytest.fixture(autouse=True)
def draw_the_same_in_any_order():
    """What a judge draws of rounding errors depends on the seed, not on earlier tests."""
    torch.manual_seed(SEED)


@pytest.fixture
def seed(record_property):
    record_property("seed", SEED)
    print("seed", SEED)
    return SEED
