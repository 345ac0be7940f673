"""Splits that hold: by time with purge and embargo, by group, at random, or in folds; checked for leaks before they are told."""
