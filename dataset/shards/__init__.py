"""Shards: HDF5 files of samples, and the rows they hold; all that a trainer needs to import."""
