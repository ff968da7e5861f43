"""Tests of animate."""
