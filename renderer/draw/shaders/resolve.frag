// Averages the samples of a pixel while premultiplied, then divides by alpha: no fringes.
// The first row written is the picture's top row, the order in which pictures are stored.
uniform sampler2D samples;
uniform int factor;
uniform int size;
out vec4 straight;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.x, size - 1 - int(gl_FragCoord.y));
    vec4 sum = vec4(0.0);
    for (int y = 0; y < factor; ++y)
        for (int x = 0; x < factor; ++x)
            sum += texelFetch(samples, pixel * factor + ivec2(x, y), 0);
    vec4 mean = sum / float(factor * factor);
    // Alpha that rounds to 0 is background, and background is exactly (0, 0, 0, 0).
    straight = mean.a < 0.5 / 255.0 ? vec4(0.0) : vec4(mean.rgb / mean.a, mean.a);
}
