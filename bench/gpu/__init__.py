"""What `bench/gpu_check.py` checks."""
