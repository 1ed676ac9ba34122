#version 330 core
#define LIMIT 10

layout(location = 0) in vec3 position;
uniform mat4 model;
out vec4 color;

const float SCALE = 2.0;

struct Light {
    vec3 direction;
    float power;
};

uniform Camera {
    mat4 view;
} camera;

float helper(float x) {
    return x * SCALE;
}

void main() {
    float local = helper(position.x);
    color = vec4(local) * LIMIT;
    gl_Position = model * vec4(position, 1.0);
}
