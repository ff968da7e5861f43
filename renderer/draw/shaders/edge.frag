uniform vec4 edge_color;
out vec4 premultiplied;

void main() {
    premultiplied = vec4(edge_color.rgb * edge_color.a, edge_color.a);
}
