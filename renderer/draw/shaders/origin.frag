// Where what a pixel shows was; what hardly covers it shows nothing.
uniform sampler2D colour_map;
uniform float opacity;
noperspective in vec2 surface_uv;
noperspective in vec3 seen_origin;
out vec4 origin;

const float COVERS = 0.5;

void main() {
    if (texture(colour_map, surface_uv).a * opacity < COVERS) discard;
    origin = vec4(seen_origin, 1.0);
}
