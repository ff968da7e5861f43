"""Readers of PMX, PMD and VMD files."""
