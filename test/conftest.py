"""Markers of the Python tests. `-m "not slow"` is the quick tier."""


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only in scripts/test.sh --all")
