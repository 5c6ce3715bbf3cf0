"""Labelled images: drawn diacritics, CIFAR-10, CIFAR-100, Flowers-102."""
