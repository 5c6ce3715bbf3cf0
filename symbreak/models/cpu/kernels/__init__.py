"""Compiled passes through tensors on a CPU, for what PyTorch would do in several."""
