"""The notebooks of the docs, executed on what lies in the repository."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))
#: Pictures of each, and words that its last outputs hold.
EXPECTED = {
    "calibration": (1, "strength 0.08: rejects"),
    "open_results": (3, "labels that this node stands for"),
    "own_network": (2, "Block 2: the heads"),
    "two_arrays": (1, "labels in the clusters of a node"),
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_and_its_figures_are_drawn(path):
    if path.stem == "own_network":
        pytest.importorskip("timm")
    notebook = nbformat.read(path, as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs")], "notebooks are kept without outputs"
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    outputs = [output for cell in client.execute().cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    n_pictures, words = EXPECTED[path.stem]
    assert len(pictures) == n_pictures and all(len(found.data["image/png"]) > 5000 for found in pictures)
    assert words in "".join(output.get("text", "") for output in outputs)
    assert f"/blob/main/docs/notebooks/{path.name})" in re.sub(r"\s", "", notebook.cells[0].source)
