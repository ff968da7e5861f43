"""Tests of characters."""
