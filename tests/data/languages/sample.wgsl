struct Light {
    direction: vec3<f32>,
    power: f32,
}

type Color = vec4<f32>;
let LIMIT: i32 = 10;
override scale: f32 = 1.0;
@group(0) @binding(0) var<uniform> light: Light;
var<private> counter: i32;

fn helper(x: f32) -> f32 {
    return x * light.power;
}

@fragment
fn main(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let local = helper(uv.x);
    var other = 1;
    return vec4<f32>(local, 0.0, 0.0, 1.0);
}
