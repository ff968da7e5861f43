"""Rounds of trouble: runs that are killed, interrupted, out of room or not alone, and what must be
left of them: the same bytes as of a run in peace, no half file, and no decision lost.

A round is given a generator of random numbers, which decides it but for the machine's own timing,
and an empty folder; it raises where something is not as it should be.
"""
