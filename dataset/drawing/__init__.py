"""What the data set needs of a renderer, and the one file that opens ours."""
