"""Markers of the Python tests. `-m "not slow"` is the quick tier."""

import os

# What is tested is compiled: no cache on disk, here and in the tools.
os.environ["TILEFUSE_CACHE_DIR"] = ""


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only in scripts/test.sh --all")
