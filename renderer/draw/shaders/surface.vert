// A posed vertex, in MMD's numbers; the camera matrix holds the only flip of z.
uniform mat4 mmd_to_clip;
in vec3 position;
in vec3 normal;
in vec2 uv;
in vec2 uv1;
noperspective out vec3 view_normal;
noperspective out vec2 surface_uv;
noperspective out vec2 sub_uv;

void main() {
    gl_Position = mmd_to_clip * vec4(position, 1.0);
    view_normal = vec3(normal.xy, -normal.z);
    surface_uv = uv;
    sub_uv = uv1;
}
