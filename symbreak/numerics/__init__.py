"""What everything else counts with: compiled kernels, threads, estimates and p-values."""
