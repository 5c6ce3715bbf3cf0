"""What tests of several modules share, and which of them the base install without torch passes."""

from importlib.util import find_spec

import pytest

#: Modules of tests that need nothing but the base install: `pytest tests -m base`.
BASE = (
    "accessor",
    "cluster_properties",
    "clusters",
    "committee",
    "explorer",
    "explorer_browser",
    "fields",
    "figures",
    "head_tables",
    "heads",
    "inference",
    "nulls",
    "order",
    "printed_committees",
    "pruning_results",
    "public_api",
    "reference",
    "replicas",
    "statistics",
    "store",
    "superclass",
    "tables",
    "text_in_pictures",
)


def _is_base(path):
    return path.stem.removeprefix("test_") in BASE


def pytest_ignore_collect(collection_path):
    """Without torch most modules cannot even be imported."""
    is_module = collection_path.suffix == ".py" and not _is_base(collection_path)
    return True if is_module and find_spec("torch") is None else None


def pytest_collection_modifyitems(items):
    """Mark what the base install passes."""
    for item in items:
        if _is_base(item.path):
            item.add_marker("base")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Begin each test and its fixtures on one thread of torch, whatever the test before left.

    Weights depend in their bits on the number of threads, and verbs set that of their process.
    """
    if find_spec("torch") is None:
        return
    import torch

    torch.set_num_threads(1)


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    """Threads of torch, of which each gets a part of even the smallest pass."""
    import torch  # here, for not all tests need it

    from symbreak.models.cpu import passes

    monkeypatch.setattr(passes, "SHARE", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)
