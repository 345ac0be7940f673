"""Leaks from one side of a dataset to the other, one file per kind: test material that training has already seen."""
