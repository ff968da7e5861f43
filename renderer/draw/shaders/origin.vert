// A posed vertex, in MMD's numbers, and where it was before it was posed, in clip space.
uniform mat4 mmd_to_clip;
in vec3 position;
in vec2 uv;
in vec3 origin;
noperspective out vec2 surface_uv;
noperspective out vec3 seen_origin;

void main() {
    gl_Position = mmd_to_clip * vec4(position, 1.0);
    surface_uv = uv;
    seen_origin = origin;
}
