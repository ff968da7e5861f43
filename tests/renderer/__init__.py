"""Tests of renderer."""
