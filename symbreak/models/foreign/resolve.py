"""From the name of a network, as PyTorch's users know it, to the network."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from symbreak.errors import SymbreakError, missing_extra
from symbreak.models.files import load
from symbreak.models.foreign.loading import load_tensors
from symbreak.models.official import is_official, load_official
from symbreak.models.registry import build
from symbreak.models.tensors import read_tensors
from symbreak.models.weights import is_ours

#: What `weights` may be besides a file.
RANDOM, PRETRAINED = "random", "pretrained"


@dataclass(frozen=True)
class Resolved:
    """A network and what it expects of its inputs.

    Attributes
    ----------
    name : str
        As it was asked for.
    model : Module
        In evaluation mode; a module object as it was given.
    transform : callable, optional
        From a PIL image to what the network takes, (3, height, width), as its library prepares images.
    facts : dict of str
        Where the weights come from, for the provenance of results.
    """

    name: str
    model: nn.Module
    transform: Callable[[Any], Any] | None = None
    facts: dict[str, str] = field(default_factory=dict)


def resolve(
    network: str | nn.Module,
    weights: str | Path = RANDOM,
    options: Mapping[str, Any] | None = None,
    positions: str = "refuse",
) -> Resolved:
    """Build a network by its name and fill it with weights.

    Parameters
    ----------
    network : str or Module
        ``cct_7_3x1``, ``vgg_16``, ``resnet_20`` (ours), ``timm:NAME``, ``torchvision:NAME``,
        ``transformers:NAME`` or a folder, ``python:package.module:factory`` or
        ``python:path/file.py:factory``; or the network itself. Code is imported and run only where
        ``python:`` names it.
    weights : str or path
        A file (`read_tensors`), ``"pretrained"`` (those that the library fetches or the folder holds), or
        ``"random"``. A module object keeps its own.
    options : mapping, optional
        Keywords for building it, such as ``num_classes`` or ``labels``.
    positions : {"refuse", "interpolate"}
        See `load_tensors`.

    Raises
    ------
    SymbreakError
        If the name, an option or the weights are impossible, or a library is missing.

    Examples
    --------
    >>> resolve("cct_2_3x1", options={"labels": 10, "dim": 32}).model.labels
    10
    """
    if isinstance(network, nn.Module):
        known = hasattr(network, "pretrained_cfg")  # timm says how its networks take images
        transform = _timm_transform(network) if known else None
        return Resolved(type(network).__name__, network, transform, {"weights": "of the module"})
    kind, colon, name = network.partition(":")
    if positions not in ("refuse", "interpolate"):
        raise SymbreakError(f"positions is {positions!r}; choose refuse or interpolate.")
    chosen = dict(options or {})
    if colon and kind not in _SOURCES:
        raise SymbreakError(f"There is no source {kind!r}; choose among {', '.join(_SOURCES)}.")
    source = _SOURCES[kind] if colon else _own
    try:
        model, transform = source(name if colon else network, str(weights), chosen)
    except SymbreakError:
        raise
    except Exception as error:  # the libraries raise many classes for impossible names and options
        said = (str(error).split("\n")[0] or type(error).__name__)[:200]
        raise SymbreakError(
            f"Cannot build the network {network!r} ({said}); check its name and options."
        ) from error
    if not isinstance(model, nn.Module):
        raise SymbreakError(
            f"{network} gave {type(model).__name__}, not a torch.nn.Module; name what makes one."
        )
    if colon and str(weights) not in (RANDOM, PRETRAINED):
        load_tensors(model, read_tensors(weights), str(weights), positions)
    return Resolved(network, model.eval(), transform, {"weights": str(weights)})


def _own(name: str, weights: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    """One of our networks, with weights of ours, published ones, or any state dict of its names."""
    if weights == RANDOM:
        return build(name, **options), None
    if weights == PRETRAINED:
        raise SymbreakError(f"symbreak publishes no weights of {name}; give a file of them.")
    if is_ours(weights):
        model, header = load(weights)
        if header["network"].get("architecture", name) != name:
            raise SymbreakError(f"{weights} is {header['network']['architecture']}, not {name}; name it so.")
        return model, None
    tensors = read_tensors(weights)
    if is_official(tensors):
        return load_official(tensors, **{k: v for k, v in options.items() if k != "labels"}), None
    model = build(name, **options)
    load_tensors(model, tensors, weights)
    return model, None


def _library(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise missing_extra(name, extra) from error


def _timm(name: str, weights: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    timm = _library("timm", "timm")
    if not timm.is_model(name):
        near = timm.list_models(f"{name.split('_')[0]}*")[:3]
        raise SymbreakError(f"timm has no network {name!r}; it has {', '.join(near) or 'others'}.")
    model = timm.create_model(name, pretrained=weights == PRETRAINED, **options)
    return model, _timm_transform(model)


def _timm_transform(model: nn.Module) -> Callable[[Any], Any]:
    """Preparation of an image for evaluation, at the size that the network was built for."""
    timm = _library("timm", "timm")
    config = timm.data.resolve_model_data_config(model)
    side = getattr(getattr(model, "patch_embed", None), "img_size", None)
    if side is not None:
        config["input_size"] = (3, *side)
    return timm.data.create_transform(**config, is_training=False)


def _torchvision(name: str, weights: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    from torchvision import models

    if name not in models.list_models(module=models):
        raise SymbreakError(f"torchvision has no classifier {name!r}; see torchvision.models.list_models().")
    best = models.get_model_weights(name).DEFAULT
    model = models.get_model(name, weights=best if weights == PRETRAINED else None, **options)
    side = options.get("image_size")
    sizes = {"crop_size": side, "resize_size": side} if side else {}
    return model, best.transforms(**sizes)


def _transformers(name: str, weights: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    transformers = _library("transformers", "transformers")
    config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False, **options)
    if getattr(config, "auto_map", None) and type(config).__module__.split(".")[0] != "transformers":
        raise SymbreakError(
            f"{name} brings code of its own, which is not run; load it yourself and pass the module."
        )
    architecture = next(iter(config.architectures or []), "")
    kind = getattr(transformers, architecture, None) or transformers.AutoModel
    if weights != PRETRAINED:
        model = (
            kind(config)
            if isinstance(kind, type) and issubclass(kind, nn.Module)
            else kind.from_config(config)
        )
    else:
        model, report = kind.from_pretrained(
            name, config=config, trust_remote_code=False, output_loading_info=True
        )
        lost = [*report["missing_keys"], *report["mismatched_keys"]]
        if lost:
            raise SymbreakError(
                f"The weights of {name} lack {len(lost)} tensors of {type(model).__name__} ({lost[0]}), "
                "which would stay random; name a network that has them."
            )
    return model, _processor(transformers, name) if hasattr(config, "image_size") else None


def _processor(transformers: ModuleType, name: str) -> Callable[[Any], Any] | None:
    """The image processor that lies with the network, one image at a time."""
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError):
        return None
    return lambda image: processor(images=image, return_tensors="pt")["pixel_values"][0]


def _python(name: str, weights: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    place, _, factory = name.rpartition(":")
    if not place or not factory:
        raise SymbreakError(f"python:{name} names no factory; write python:package.module:factory.")
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise SymbreakError(f"There is no file {path}; check the path after python:.")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)  # dataclasses of the file look themselves up
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    make = getattr(module, factory, None)
    if make is None:
        raise SymbreakError(f"{place} has no {factory!r}; name a function or a class of it.")
    model = make(**options) if not isinstance(make, nn.Module) else make
    return model, getattr(module, "transform", None)


_SOURCES: dict[str, Callable[[str, str, dict[str, Any]], tuple[nn.Module, Any]]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "transformers": _transformers,
    "python": _python,
}
