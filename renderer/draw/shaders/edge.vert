// Inverted hull: the surface pushed out along its normal in space, in MMD's numbers.
//
// What is drawn of it faces away from the viewer (+z), so it goes that way whatever an authored
// normal says, and a little further, for walls without thickness whose normals lie in the wall: an
// outline lies behind what it outlines and never shows through it.
uniform mat4 mmd_to_clip;
uniform float edge_width;          // model units
in vec3 position;
in vec3 normal;
in float edge_scale;

const float BEHIND = 0.25;

void main() {
    vec3 outward = vec3(normal.xy, abs(normal.z) + BEHIND);
    gl_Position = mmd_to_clip * vec4(position + outward * (edge_width * edge_scale), 1.0);
}
