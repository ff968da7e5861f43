"""From a folder of models to shards of posed pictures, and back."""
