"""`dataset.symbreak`: matrices of an opened moments file, built when asked for.

Only xarray is imported here: numba comes with the first matrix.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError

#: What a matrix may be summed over -> where such groups of nodes exist.
GROUPS = {"head": "attention, query, key, value", "filter": "filters"}


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
        centred: bool = False,
    ) -> xr.DataArray:
        r"""Field matrix of a node (SNP, P1 section 2), a head (SHP, P2 section 2) or a filter (SFP).

        .. math:: M_k[i,j] = \mu_k(i) W_{jk} \; (+\, b_j), \qquad M_h = \sum_{k \in h} \mu_k W_k \; (+\, b_j)

        The bias is there where the classifier head kept one, as in the statistics.

        Parameters
        ----------
        block : int
            Block, from 1.
        node, head, filter : int
            One of the three, from 1; a filter is the sum over its positions (arXiv:2305.18078).
        seed : int, optional
            Seed; needed where several are joined.
        normalised : bool
            Divide by the signed maximum of the matrix.
        centred : bool
            Fix the gauge first, see :func:`symbreak.matrices.centre`.

        Returns
        -------
        DataArray
            On (label, output): mean field on each output over the images of each label.

        Raises
        ------
        SymbreakError
            If the file holds no moments, or no such seed, block, node, head or filter.
        """
        from symbreak.matrices import check_factors, field_maximum
        from symbreak.observables import pooled_moments

        asked = {
            kind: number
            for kind, number in (("node", node), ("head", head), ("filter", filter))
            if number is not None
        }
        if len(asked) != 1:
            raise SymbreakError(
                "Give either a node or a head or a filter to `matrix`, for instance matrix(block=7, node=3)."
            )
        [(kind, number)] = asked.items()
        moments = self._of_seed(seed)
        mine = _members(moments, block, kind, number)
        mean, readout, bias = check_factors(*pooled_moments(moments, block), centred)
        values = mean[:, mine] @ readout[:, mine].T + (0.0 if bias is None else bias)
        if normalised:
            values = values / field_maximum(values)
        names = {name: moments[name] for name in ("label", "label_name", "output") if name in moments.coords}
        meaning = {"long_name": "mean field", "units": "1", "symbol": "M_ij", "block": block, kind: number}
        return xr.DataArray(values, dims=("label", "output"), coords=names, name="field", attrs=meaning)

    def _of_seed(self, seed: int | None) -> xr.Dataset:
        dataset = self._dataset
        if not {"feature_mean", "readout"} <= set(dataset):
            raise SymbreakError("This dataset holds no label means; open a file of the folder `moments`.")
        if "seed" not in dataset.dims:
            own = dataset.coords["seed"].item() if "seed" in dataset.coords else dataset.attrs.get("seed")
            if seed is not None and seed != own:
                raise SymbreakError(f"There is no seed {seed}: the file is that of seed {own}; leave it out.")
            return dataset
        if seed is None or seed not in dataset.seed:
            raise SymbreakError(f"Choose one of the seeds {dataset.seed.values.tolist()}, got seed={seed}.")
        return dataset.sel(seed=seed)


def _members(moments: xr.Dataset, block: int, kind: str, number: int) -> np.ndarray:
    """Which of the block's nodes the matrix is the sum of."""
    from symbreak.observables import block_moments

    chosen = block_moments(moments, block)
    name = kind if kind == "node" else f"{kind}_of_node"
    if name not in chosen.coords:
        raise SymbreakError(f"There are no {kind}s at this tap; they exist at {GROUPS[kind]}.")
    owner = np.broadcast_to(chosen[name].values, chosen.sizes["node"])
    if number < 1 or number not in owner:
        raise SymbreakError(
            f"There is no {kind} {number} in block {block}; they count from 1 to {owner.max()}."
        )
    return owner == number


if "symbreak" in vars(xr.Dataset):  # this module is being reloaded; xarray would warn of itself
    delattr(xr.Dataset, "symbreak")
xr.register_dataset_accessor("symbreak")(MomentsAccessor)
