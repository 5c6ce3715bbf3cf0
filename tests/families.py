"""Tiny networks, randomly initialised, of every family that `symbreak.taps` knows, with inputs for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

#: Name -> (network and what it is called with).
FAMILIES: dict[str, Callable[[], tuple[nn.Module, Any]]] = {}
SHAPE: dict[str, int] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
PIXELS = {"image_size": 16, "patch_size": 4, "num_labels": 5}
WORDS = {"vocab_size": 50, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "num_labels": 5}


def family(name: str):
    def remember(function):
        FAMILIES[name] = function
        return function

    return remember


def images(side: int = 16, count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def texts(count: int = 3, length: int = 7) -> dict[str, torch.Tensor]:
    tokens = torch.randint(3, 50, (count, length), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(tokens)
    mask[0, 5:] = 0
    return {"input_ids": tokens.masked_fill(mask == 0, 0), "attention_mask": mask}


def _transformers(model: str, config: str, inputs: Any, **options: Any) -> None:
    @family(model)
    def build() -> tuple[nn.Module, Any]:
        import transformers

        settings = getattr(transformers, config)(**options)
        return getattr(transformers, model)(settings), inputs


def _timm(name: str, side: int = 16, **options: Any) -> None:
    @family(f"timm {name}")
    def build() -> tuple[nn.Module, Any]:
        import timm

        return timm.create_model(name, num_classes=5, img_size=side, **options), images(side)


_transformers("BertForSequenceClassification", "BertConfig", texts(), **SHAPE, **WORDS)
_transformers("RobertaForSequenceClassification", "RobertaConfig", texts(), **SHAPE, **WORDS)
_transformers(
    "DistilBertForSequenceClassification",
    "DistilBertConfig",
    texts(),
    dim=32,
    n_layers=2,
    n_heads=4,
    hidden_dim=48,
    **WORDS,
)
_transformers("GPT2ForSequenceClassification", "GPT2Config", texts(), n_embd=32, n_layer=2, n_head=4, **WORDS)
_transformers(
    "LlamaForSequenceClassification", "LlamaConfig", texts(), num_key_value_heads=2, **SHAPE, **WORDS
)
_transformers("ViTForImageClassification", "ViTConfig", images(), **SHAPE, **PIXELS)
_transformers("DeiTForImageClassificationWithTeacher", "DeiTConfig", images(), **SHAPE, **PIXELS)
_transformers("Dinov2ForImageClassification", "Dinov2Config", images(), **SHAPE, **PIXELS)
_transformers(
    "Dinov2WithRegistersForImageClassification",
    "Dinov2WithRegistersConfig",
    images(),
    num_register_tokens=2,
    **SHAPE,
    **PIXELS,
)
_transformers("CLIPVisionModel", "CLIPVisionConfig", {"pixel_values": images()}, **SHAPE, **PIXELS)
_transformers("CLIPTextModel", "CLIPTextConfig", texts(), **SHAPE, **WORDS)
_transformers(
    "SwinForImageClassification",
    "SwinConfig",
    images(32),
    image_size=32,
    patch_size=2,
    embed_dim=16,
    depths=[2, 2],
    num_heads=[2, 4],
    window_size=4,
    num_labels=5,
)
_timm("vit_tiny_patch16_224", patch_size=4, embed_dim=32, num_heads=4, depth=2)
_timm("deit_tiny_distilled_patch16_224", patch_size=4, embed_dim=32, num_heads=4, depth=2)
_timm("vit_small_patch14_reg4_dinov2", patch_size=4, embed_dim=32, num_heads=4, depth=2)
_timm("beit_base_patch16_224", patch_size=4, embed_dim=32, num_heads=4, depth=2)
_timm("eva02_tiny_patch14_224", patch_size=4, embed_dim=32, num_heads=4, depth=2)
_SWIN = {"patch_size": 2, "embed_dim": 16, "depths": (2, 2), "num_heads": (2, 4), "window_size": 4}
_timm("swin_tiny_patch4_window7_224", side=32, **_SWIN)
_timm("swinv2_tiny_window8_256", side=32, **_SWIN)


@family("torchvision ViT")
def torchvision_vit() -> tuple[nn.Module, Any]:
    from torchvision.models import VisionTransformer

    return VisionTransformer(16, 4, 2, 4, 32, 48, num_classes=5), images()


class Encoder(nn.Module):
    """`nn.TransformerEncoder` with a classifier."""

    def __init__(self, batch_first: bool, norm_first: bool) -> None:
        super().__init__()
        self.batch_first = batch_first
        layer = nn.TransformerEncoderLayer(
            32, 4, 48, batch_first=batch_first, norm_first=norm_first, activation="gelu"
        )
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.readout = nn.Linear(32, 5)

    def forward(self, tokens: torch.Tensor, padding: torch.Tensor | None = None) -> torch.Tensor:
        tokens = tokens if self.batch_first else tokens.transpose(0, 1)
        tokens = self.encoder(tokens, src_key_padding_mask=padding)
        return self.readout(tokens.mean(1 if self.batch_first else 0))


def _tokens() -> dict[str, torch.Tensor]:
    padding = torch.zeros(3, 7, dtype=torch.bool)
    padding[0, 5:] = True
    tokens = torch.randn(3, 7, 32, generator=torch.Generator().manual_seed(1))
    return {"tokens": tokens, "padding": padding}


for _first in (True, False):
    FAMILIES[f"nn.TransformerEncoder {'norm' if _first else 'batch'} first"] = lambda first=_first: (
        Encoder(batch_first=not first, norm_first=first),
        _tokens(),
    )


class Attending(nn.Module):
    """A network of one's own around `nn.MultiheadAttention`, which is asked for its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.MultiheadAttention(32, 4, batch_first=True) for _ in range(2))
        self.readout = nn.Linear(32, 5)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        for layer in self.layers:
            out, weights = layer(tokens, tokens, tokens)
            tokens = tokens + out
        return self.readout(tokens.mean(1)), weights


@family("nn.MultiheadAttention")
def attending() -> tuple[nn.Module, Any]:
    return Attending(), _tokens()["tokens"]


@family("CCT of symbreak")
def cct() -> tuple[nn.Module, Any]:
    from symbreak.models import build

    return build("cct_2_3x2", labels=5, dim=32, heads=[4, 2], image_size=16), images()
