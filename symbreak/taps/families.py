"""Names of modules inside the blocks of known families of networks.

Blocks are recognised by their class; a block of another class whose attention is built in the same way is
opened at the attention only. That heads are heads is never taken from here, it is proved (`prove`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How the blocks of a family of networks are built.

    Attributes
    ----------
    name : str
        For people.
    classes : str
        Regular expression for ``module.Class`` of a block.
    attention : str
        Path in the block of the output projection of the attention, or of an `nn.MultiheadAttention`.
    taps : mapping of str to str
        Tap -> side, path in the block and perhaps part: ``"output attn.qkv 0/3"``.
    norm_first : bool, optional
        Value of the attribute of that name by which blocks of one class differ.
    """

    name: str
    classes: str
    attention: str
    taps: Mapping[str, str]
    norm_first: bool | None = None


def _fused(path: str) -> dict[str, str]:
    """Queries, keys and values of one linear layer."""
    parts = {name: f"output {path} {i}/3" for i, name in enumerate(("query", "key", "value"))}
    return {**parts, "qkv": f"output {path}"}


def _apart(query: str, key: str, value: str) -> dict[str, str]:
    """Queries, keys and values of a layer each."""
    return {"query": f"output {query}", "key": f"output {key}", "value": f"output {value}"}


def _norms_first(attention: str, feedforward: str) -> dict[str, str]:
    """Norms of a block that applies them before its branches."""
    return {
        "attention_norm": f"output {attention}",
        "projection_skip": f"input {feedforward}",
        "feedforward_norm": f"output {feedforward}",
    }


def _norms_last(attention: str) -> dict[str, str]:
    """Norm after the attention of a block that replaces the residual stream by it."""
    return {"projection_skip": f"input {attention}", "feedforward_norm": f"output {attention}"}


def _feedforward(second: str) -> dict[str, str]:
    """Both layers of the feed-forward branch; the first one after its activation."""
    return {"linear1": f"input {second}", "linear2": f"output {second}"}


_HF = r"transformers\.models\.\w+\.modeling_\w+\."
_HF_QKV = _apart("attention.q_proj", "attention.k_proj", "attention.v_proj")
_HF_OLD_QKV = {
    name: _apart(*(f"attention.{name}.{part}" for part in ("query", "key", "value")))
    for name in ("attention", "self")
}
_SELF_QKV = _apart("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_BEFORE_AFTER = _norms_first("layernorm_before", "layernorm_after")
_ENCODER_LAYER = r"torch\.nn\.modules\.transformer\.TransformerEncoderLayer"

#: Families in the order in which they are tried.
FAMILIES: tuple[Family, ...] = (
    Family(
        "CCT of symbreak",
        r"symbreak\.models\.(cct\.Block|cpu\.block\.FusedBlock)",
        "projection",
        _norms_first("attention_norm", "feedforward_norm") | _fused("qkv") | _feedforward("linear2"),
    ),
    Family(
        "ViT of timm",
        r"timm\.models\.vision_transformer\.(Block|LayerScaleBlock)",
        "attn.proj",
        _norms_first("norm1", "norm2") | _fused("attn.qkv") | _feedforward("mlp.fc2"),
    ),
    Family(
        "BEiT or EVA of timm",  # their queries, keys and values leave no module
        r"timm\.models\.(beit\.Block|eva\.EvaBlock)",
        "attn.proj",
        _norms_first("norm1", "norm2") | _feedforward("mlp.fc2"),
    ),
    Family(
        "Swin of timm",
        r"timm\.models\.swin_transformer\.SwinTransformerBlock",
        "attn.proj",
        _norms_first("norm1", "norm2") | _fused("attn.qkv") | _feedforward("mlp.fc2"),
    ),
    Family(
        "BERT of transformers",
        _HF + r"\w*(Bert|Roberta|Electra|Camembert)\w*Layer",
        "attention.output.dense",
        _norms_last("attention.output.LayerNorm") | _HF_OLD_QKV["self"] | _feedforward("output.dense"),
    ),
    Family(
        "DistilBERT of transformers",
        _HF + "TransformerBlock",
        "attention.out_lin",
        _norms_last("sa_layer_norm")
        | _apart("attention.q_lin", "attention.k_lin", "attention.v_lin")
        | _feedforward("ffn.lin2"),
    ),
    Family(
        "ViT of transformers 5",
        _HF + "(ViT|DeiT)Layer",
        "attention.o_proj",
        _BEFORE_AFTER | _HF_QKV | _feedforward("mlp.fc2"),
    ),
    Family(
        "ViT of transformers 4",
        _HF + "(ViT|DeiT)Layer",
        "attention.output.dense",
        _BEFORE_AFTER | _HF_OLD_QKV["attention"] | _feedforward("output.dense"),
    ),
    Family(
        "DINOv2 of transformers 5",
        _HF + r"Dinov2\w*Layer",
        "attention.o_proj",
        _norms_first("norm1", "norm2") | _HF_QKV | _feedforward("mlp.fc2"),
    ),
    Family(
        "DINOv2 of transformers 4",
        _HF + r"Dinov2\w*Layer",
        "attention.output.dense",
        _norms_first("norm1", "norm2") | _HF_OLD_QKV["attention"] | _feedforward("mlp.fc2"),
    ),
    Family(
        "Swin of transformers 5",
        _HF + "SwinLayer",
        "attention.o_proj",
        _BEFORE_AFTER | _HF_QKV | _feedforward("mlp.fc2"),
    ),
    Family(
        "Swin of transformers 4",
        _HF + "SwinLayer",
        "attention.output.dense",
        _BEFORE_AFTER | _HF_OLD_QKV["self"] | _feedforward("output.dense"),
    ),
    Family(
        "GPT-2 of transformers",
        _HF + "GPT2Block",
        "attn.c_proj",
        _norms_first("ln_1", "ln_2") | _fused("attn.c_attn") | _feedforward("mlp.c_proj"),
    ),
    Family(
        "Llama of transformers",
        _HF + r"(Llama|Mistral|Qwen2|Qwen3)DecoderLayer",
        "self_attn.o_proj",
        _norms_first("input_layernorm", "post_attention_layernorm")
        | _SELF_QKV
        | _feedforward("mlp.down_proj"),
    ),
    Family(
        "CLIP of transformers",
        _HF + r"(CLIP|Siglip)EncoderLayer",
        "self_attn.out_proj",
        _norms_first("layer_norm1", "layer_norm2") | _SELF_QKV | _feedforward("mlp.fc2"),
    ),
    Family(
        "ViT of torchvision",
        r"torchvision\.models\.vision_transformer\.EncoderBlock",
        "self_attention",
        _norms_first("ln_1", "ln_2") | _feedforward("mlp.3"),
    ),
    Family(
        "nn.TransformerEncoder, norms first",
        _ENCODER_LAYER,
        "self_attn",
        _norms_first("norm1", "norm2") | _feedforward("linear2"),
        norm_first=True,
    ),
    Family(
        "nn.TransformerEncoder, norms last",
        _ENCODER_LAYER,
        "self_attn",
        _norms_last("norm1") | _feedforward("linear2"),
        norm_first=False,
    ),
)

#: Paths of output projections, tried in this order in blocks of classes that no family has.
PROJECTIONS = tuple(dict.fromkeys(family.attention for family in FAMILIES if "." in family.attention))

#: How modules call their number of heads.
HEAD_COUNTS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "heads")
