"""Serial compiled kernels of the cluster rules; they release the interpreter lock, threads stay outside."""
