"""What a build will make and take, told before it starts."""
