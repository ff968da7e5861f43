"""Whole characters as PMX and PMD files, with what is true about them."""
