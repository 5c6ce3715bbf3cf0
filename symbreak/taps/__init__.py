"""Open any trained network at named places and prove that its heads are heads.

A tap is a named place in every block of a network: a module, its input or its output, and, where heads are
told apart, their number. `find` knows the families of timm, torchvision, transformers, PyTorch's own encoder
and our own networks; patterns name the taps of any other. `capture` runs the network once and returns its
taps as (images, tokens, nodes); `opened` hands them on one by one while a stream of inputs passes. `prove`
measures that the slices of the attention are what its heads put out. Nothing stays in the network.

>>> import torch
>>> from symbreak import taps
>>> layer = torch.nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32, batch_first=True)
>>> encoder = torch.nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
>>> anatomy = taps.find(encoder)
>>> anatomy.blocks, anatomy.heads
(('layers.0', 'layers.1'), (4, 4))
>>> tokens, _ = taps.capture(encoder, torch.randn(3, 5, 16), anatomy.places(["attention"]))
>>> tokens[2, "attention"].shape
torch.Size([3, 5, 16])
>>> taps.prove(encoder, torch.randn(3, 5, 16)) < 1e-5
True
"""

from symbreak.taps.anatomy import Anatomy, Opening
from symbreak.taps.capture import Inputs, capture, opened
from symbreak.taps.example import example_inputs
from symbreak.taps.find import find, plain
from symbreak.taps.layouts import first_tensor, rotation_within
from symbreak.taps.prove import prove, require_proved

__all__ = [
    "Anatomy",
    "Inputs",
    "Opening",
    "capture",
    "example_inputs",
    "find",
    "first_tensor",
    "opened",
    "plain",
    "prove",
    "require_proved",
    "rotation_within",
]
