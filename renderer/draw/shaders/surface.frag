// One material. Colours are used as stored, without gamma; the output is premultiplied by alpha.
//
// Compiled in variants, because software OpenGL runs both sides of every branch:
//   TOON         0 Phong, 1 MMD's own look
//   SPHERE_MODE  0 none, 1 multiply, 2 add, 3 sub-texture
//   OPAQUE       1 where alpha is known to be 1: nothing to discard, so depth is tested early
//   POWER        of the highlight: 0 no highlight, 1 to 127, or -1: that of a uniform (pow() costs more than
//                products, a twentieth of a picture)
//   RETOUCHED    1 where material morphs change the colours of texture or sphere map
//   TOON_STEPS   entries of the table of toon shades
//
// What is the same at all fragments is computed beforehand (lit_materials.py).
uniform sampler2D colour_map;
uniform sampler2D sphere_map;
uniform sampler2D toon_shades;      // a row, from full light to full shade (toon_shades.py)
uniform vec3 colour;               // what a texel is multiplied by
uniform float opacity;
uniform vec3 highlight;
uniform float specular_power;
uniform vec4 colour_multiply;
uniform vec4 colour_add;
uniform vec4 sphere_multiply;
uniform vec4 sphere_add;
uniform float ambient_light;
uniform vec3 toward_toon_light;    // view space, unit
uniform vec3 toon_halfway;         // between it and the viewer, unit
// The camera is orthographic: nothing is to be divided by depth.
noperspective in vec3 view_normal;
noperspective in vec2 surface_uv;
noperspective in vec2 sub_uv;
out vec4 premultiplied;

const float DIRECTIONAL_LIGHT = 0.5;

// Textures are stored premultiplied, so that filtering keeps invisible colours out.
vec4 straight(vec4 texel) {
    return vec4(texel.rgb / max(texel.a, 1.0 / 1024.0), texel.a);
}

// Material morphs move a texture's colour toward white where they fade it out.
vec4 morphed(vec4 texel, vec4 multiply, vec4 add) {
#if RETOUCHED
    return texel * multiply + add;
#else
    return texel;
#endif
}

vec3 with_sphere(vec3 seen, vec3 n) {
#if SPHERE_MODE == 0
    return seen;
#else
#if SPHERE_MODE == 3
    vec2 at = sub_uv;
#else
    vec2 at = vec2(n.x * 0.5 + 0.5, 0.5 - n.y * 0.5);
#endif
    vec3 sphere = morphed(straight(texture(sphere_map, at)), sphere_multiply, sphere_add).rgb;
    return SPHERE_MODE == 2 ? seen + sphere : seen * sphere;
#endif
}

// A cosine to the power of the highlight; 0 of one that is negative.
float to_power(float cosine) {
    float base = max(cosine, 0.0);
#if POWER > 0
// Written out: software OpenGL would run a loop as one.
#define BIT(n) if ((POWER & (n)) != 0) product *= base; base *= base;
    float product = 1.0;
    BIT(1) BIT(2) BIT(4) BIT(8) BIT(16) BIT(32) BIT(64)
    return product;
#else
    return pow(base, specular_power);
#endif
}

#if TOON
// MMD's own look at an ambient light of 0.5. More of it leaves the colours alone and fills the
// shade, as it does under Phong; at 1 all is as the ramp has it where the light falls.
vec3 shaded(vec3 texel, vec3 n) {
    vec3 seen = with_sphere(colour * texel, n);
    float shade = 0.5 - 0.5 * dot(n, toward_toon_light);
    seen *= texelFetch(toon_shades, ivec2(int(shade * (TOON_STEPS - 1.0) + 0.5), 0), 0).rgb;
#if POWER != 0
    seen += highlight * to_power(dot(n, toon_halfway));
#endif
    return seen;
}
#else
// Phong: k_d min(1, L_a + L_d |n.l|) + k_s L_d (r.v)^p with l = v = +z, so r.v = 2 (n.l)^2 - 1. Both
// lights fall on the diffuse colour, or on what MMD makes of it where that is brighter: what faces
// the viewer shows its texture as MMD does. The light comes from the viewer, so it falls on
// whichever side is seen.
vec3 shaded(vec3 texel, vec3 n) {
    float lit = min(ambient_light + DIRECTIONAL_LIGHT * abs(n.z), 1.0);
    vec3 seen = with_sphere(colour * lit * texel, n);
#if POWER != 0
    seen += highlight * to_power(2.0 * n.z * n.z - 1.0);
#endif
    return seen;
}
#endif

void main() {
    // Both sides of a surface share their normals, as in MMD; so do triangles of both windings.
    vec3 n = normalize(view_normal);
#if OPAQUE
    vec3 texel = morphed(texture(colour_map, surface_uv), colour_multiply, colour_add).rgb;
    premultiplied = vec4(shaded(texel, n), 1.0);  // the target takes it between 0 and 1
#else
    vec4 texel = morphed(straight(texture(colour_map, surface_uv)), colour_multiply, colour_add);
    float alpha = clamp(opacity * texel.a, 0.0, 1.0);
    if (alpha < 0.5 / 255.0) discard;
    premultiplied = vec4(clamp(shaded(texel.rgb, n), 0.0, 1.0) * alpha, alpha);
#endif
}
