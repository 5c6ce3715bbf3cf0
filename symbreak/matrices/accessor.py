"""`ds.symbreak`: matrices of an opened moments file, built when asked for."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.matrices.field_matrices import by_head, field_maximum, nodal


@xr.register_dataset_accessor("symbreak")
class MomentsAccessor:
    """Label × label matrices of a moments file (`moments/{tap}.nc`).

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> moments_example().symbreak.matrix(block=2, node=3).dims
    ('label', 'output')
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def matrix(
        self,
        block: int,
        node: int | None = None,
        head: int | None = None,
        filter: int | None = None,
        seed: int | None = None,
        normalised: bool = False,
    ) -> xr.DataArray:
        """Field matrix of a node (SNP, P1 section 2), a head (SHP, P2 section 2) or a filter (SFP).

        .. math:: M_k[i,j] = \\mu_k(i) W_{jk}, \\qquad M_h = \\sum_{k \\in h} M_k

        Parameters
        ----------
        block : int
            Block, from 1.
        node, head, filter : int
            One of the three, from 1; a filter is the sum over its positions (arXiv:2305.18078).
        seed : int, optional
            Seed, where several are joined.
        normalised : bool
            Divide by the signed maximum of the matrix.

        Returns
        -------
        DataArray
            On (label, output): mean field on each output over the images of each label.

        Raises
        ------
        SymbreakError
            If the file holds no moments, or there is no such block, node, head or filter.
        """
        if sum(number is not None for number in (node, head, filter)) != 1:
            raise SymbreakError(
                "Give either a node or a head or a filter to `matrix`, for instance matrix(block=7, node=3)."
            )
        chosen = self._chosen(block, seed)
        weights = chosen["count"] / chosen["count"].sum("fold")
        mean = (chosen.feature_mean * weights).sum("fold").transpose("label", "node")
        readout = chosen.readout.transpose("output", "node")
        if node is None:
            mine = _group(chosen, "head", head) if filter is None else _group(chosen, "filter", filter)
            values = by_head(mean.values[:, mine], readout.values[:, mine], np.ones(mine.sum(), dtype=int))[0]
        else:
            if node not in chosen.node:
                raise SymbreakError(
                    f"There is no node {node} at this tap; they count from 1 to {chosen.sizes['node']}."
                )
            values = nodal(mean.sel(node=[node]).values, readout.sel(node=[node]).values)[0]
        if normalised:
            values = values / field_maximum(values[None])[0]
        names = {name: chosen[name] for name in ("label", "label_name", "output") if name in chosen.coords}
        return xr.DataArray(
            values,
            dims=("label", "output"),
            coords=names,
            name="field",
            attrs={"long_name": "mean field", "units": "1", "symbol": "M_ij", "block": block},
        )

    def _chosen(self, block: int, seed: int | None) -> xr.Dataset:
        dataset = self._dataset
        if not {"feature_mean", "readout"} <= set(dataset):
            raise SymbreakError("This dataset holds no label means; open a file of the folder `moments`.")
        if "seed" in dataset.dims:
            if seed is None or seed not in dataset.seed:
                raise SymbreakError(
                    f"Choose one of the seeds {dataset.seed.values.tolist()}, got seed={seed}."
                )
            dataset = dataset.sel(seed=seed)
        if block not in dataset.block:
            raise SymbreakError(f"There is no block {block}; choose one of {dataset.block.values.tolist()}.")
        return dataset.sel(block=block)


def _group(chosen: xr.Dataset, kind: str, number: int | None) -> np.ndarray:
    """Which nodes belong to a head or a filter."""
    coordinate = f"{kind}_of_node"
    if number is None or number < 1 or coordinate not in chosen.coords or number not in chosen[coordinate]:
        where = "attention, query, key, value" if kind == "head" else "filters"
        raise SymbreakError(f"There is no {kind} {number} at this tap; {kind}s exist at {where}.")
    return chosen[coordinate].values == number
