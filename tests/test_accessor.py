"""`dataset.symbreak`: what it computes and refuses, and when it is registered."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.matrices import centre, nodal
from symbreak.observables import pooled_moments
from symbreak.planted import moments_example
from symbreak.store.joining import join_seeds


def test_accessor_says_what_is_wrong():
    dataset = moments_example()
    head = sum(dataset.symbreak.matrix(block=1, node=k).values for k in (4, 5, 6))
    np.testing.assert_allclose(dataset.symbreak.matrix(block=1, head=2), head)
    assert float(dataset.symbreak.matrix(block=1, node=1, normalised=True).max()) == 1
    for arguments, word in [
        ({"block": 9, "node": 1}, "no block 9"),
        ({"block": 1, "node": 99}, "no node 99"),
        ({"block": 1, "head": 7}, "no head 7"),
        ({"block": 1}, "either a node or a head"),
    ]:
        with pytest.raises(SymbreakError, match=word):
            dataset.symbreak.matrix(**arguments)
    with pytest.raises(SymbreakError, match="no label means"):
        xr.Dataset().symbreak.matrix(block=1, node=1)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_matrix_has_the_bias_and_the_gauge_that_are_asked_for(kept, centred):
    dataset = moments_example(seed=4)
    bias = np.random.default_rng(0).normal(size=(2, 10))
    if kept:
        dataset = dataset.assign(readout_bias=(("block", "output"), bias))
    mean, readout, offsets = pooled_moments(dataset, 2)
    assert (offsets is not None) == kept
    factors = centre(mean, readout, offsets) if centred else (mean, readout, offsets)
    expected = nodal(*factors)
    found = [dataset.symbreak.matrix(block=2, node=k, centred=centred).values for k in range(1, 7)]
    np.testing.assert_allclose(found, expected)
    head = nodal(*factors[:2])[3:].sum(axis=0) + (factors[2] if kept else 0)
    np.testing.assert_allclose(dataset.symbreak.matrix(block=2, head=2, centred=centred), head)


def test_a_seed_that_the_file_does_not_hold_is_refused():
    one, two = moments_example(seed=1), moments_example(seed=2)
    joined = join_seeds([one, two], [1, 2])
    np.testing.assert_array_equal(
        joined.symbreak.matrix(block=1, node=1, seed=2), two.symbreak.matrix(block=1, node=1)
    )
    for seed in (None, 3):
        with pytest.raises(SymbreakError, match=r"Choose one of the seeds \[1, 2\]"):
            joined.symbreak.matrix(block=1, node=1, seed=seed)
    for single in (one.assign_attrs(seed=1), one.assign_coords(seed=1)):
        assert single.symbreak.matrix(block=1, node=1, seed=1).shape == (10, 10)
        with pytest.raises(SymbreakError, match="no seed 5: the file is that of seed 1"):
            single.symbreak.matrix(block=1, node=1, seed=5)


def run(program, *options, **environment):
    return subprocess.run(
        [sys.executable, *options, *(["-c", program] if program else [])],
        capture_output=True, text=True, check=True, env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    "imports",
    [
        "import symbreak, xarray",
        "import xarray, symbreak",
        "import importlib.util; importlib.util.find_spec('xarray'); import symbreak, xarray",
        # As `import xarray` leaves it in the list of modules before it runs: nothing is in it yet.
        "import sys, types; sys.modules['xarray'] = types.ModuleType('xarray'); import symbreak;"
        "del sys.modules['xarray'], sys.modules['symbreak']; import xarray, symbreak",
    ],
)
def test_importing_symbreak_registers_the_accessor_whatever_came_before(imports):
    program = (
        f"import warnings; warnings.simplefilter('error'); {imports}; import importlib;"
        "importlib.reload(symbreak); importlib.reload(symbreak.accessor);"
        "print(xarray.Dataset().symbreak)"
    )
    assert "MomentsAccessor" in run(program).stdout


def test_help_of_the_command_line_does_not_wait_for_xarray():
    answer = run("", "-m", "symbreak", "--help", PYTHONPROFILEIMPORTTIME="1")
    assert "symbreak.cli" in answer.stderr and "xarray" not in answer.stderr
