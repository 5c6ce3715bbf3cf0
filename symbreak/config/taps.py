"""Names of the places where the trunk of a network can be opened.

They stand in the configuration, below both wings, because a config file, a
file name and a module of the network must all mean the same place by them.
"""

#: Tap name -> what its tensor is, in the order of the data flow through one encoder block.
ENCODER_TAPS: dict[str, str] = {
    "attention_norm": "LayerNorm before query, key and value",
    "query": "queries, heads concatenated",
    "key": "keys, heads concatenated",
    "value": "values, heads concatenated",
    "qkv": "queries, keys and values together",
    "attention": "scaled dot-product output, heads concatenated",
    "attention_rotated": "the same after a fixed random rotation of all its nodes: null model of the heads",
    "attention_rotated_within": "the same after a fixed random rotation of the nodes of each head among "
    "themselves: null model of the nodes",
    "projection": "output projection of the attention, without the skip connection",
    "projection_skip": "output projection plus skip connection",
    "feedforward_norm": "LayerNorm of the residual stream before the feed-forward branch",
    "linear1": "first feed-forward layer after GELU, input of the second",
    "linear2": "second feed-forward layer, without the skip connection",
    "block": "block output, second feed-forward layer plus skip connection",
}

#: The same for one block of a convolutional network.
FILTER_TAPS: dict[str, str] = {"filters": "filters of a convolutional block after its activation"}

#: All taps. A network has those of its kind, see `symbreak.config.Network.taps`.
TAPS: dict[str, str] = ENCODER_TAPS | FILTER_TAPS

#: Taps on the un-normalised residual stream: their probes get a LayerNorm by default.
RESIDUAL_TAPS: frozenset[str] = frozenset({"projection_skip", "block"})

#: Taps whose nodes are the attention heads side by side.
HEADED_TAPS: frozenset[str] = frozenset(
    {"query", "key", "value", "attention", "attention_rotated", "attention_rotated_within"}
)
