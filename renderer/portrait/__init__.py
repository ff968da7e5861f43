"""One rigged model on the device, its head in the frame."""
