"""What tests of several modules share."""

import pytest


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
