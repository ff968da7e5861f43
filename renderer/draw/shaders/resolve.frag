// Averages the samples of a pixel while premultiplied, then divides by alpha: no fringes.
// The first row written is the picture's top row, the order in which pictures are stored.
//
// FACTOR (samples a side of a pixel) and SIZE (of the picture) are constants, for software OpenGL
// runs loops whose length it knows in half the time.
uniform sampler2D samples;
out vec4 straight;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.x, SIZE - 1 - int(gl_FragCoord.y));
    vec4 sum = vec4(0.0);
    for (int y = 0; y < FACTOR; ++y)
        for (int x = 0; x < FACTOR; ++x)
            sum += texelFetch(samples, pixel * FACTOR + ivec2(x, y), 0);
    vec4 mean = sum / float(FACTOR * FACTOR);
    // Alpha that rounds to 0 is background, and background is exactly (0, 0, 0, 0). It is rounded
    // here, for devices do not agree on what becomes of halves.
    float alpha = floor(mean.a * 255.0 + 0.5) / 255.0;
    straight = alpha == 0.0 ? vec4(0.0) : vec4(mean.rgb / mean.a, alpha);
}
