// Inverted hull: the surface pushed out along its view-space normal by a width in picture pixels.
uniform mat4 mmd_to_clip;
uniform float clip_per_pixel;
uniform float edge_pixels;
in vec3 position;
in vec3 normal;
in float edge_scale;

void main() {
    gl_Position = mmd_to_clip * vec4(position, 1.0);
    vec2 outward = normal.xy;
    float size = length(outward);
    if (size > 1e-4) outward /= size;
    gl_Position.xy += outward * (edge_pixels * edge_scale * clip_per_pixel);
}
