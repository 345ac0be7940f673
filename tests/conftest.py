"""Shared by the tests: the bundled tape, opened once per process."""

import pytest


@pytest.fixture(scope="session")
def tape():
    from market.tape import load

    return load()
