"""What every package agrees on: the pose, the picture, the axes, the errors."""
