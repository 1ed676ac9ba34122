#include "common.hlsli"
#define LIMIT 10

cbuffer Camera : register(b0) {
    float4x4 view;
    float scale;
};

Texture2D albedo : register(t0);
static const float SCALE = 2.0;

struct VertexIn {
    float3 position : POSITION;
    float2 uv : TEXCOORD0;
};

float helper(float x) {
    return x * SCALE;
}

float4 main(VertexIn input) : SV_Target {
    float local = helper(input.position.x);
    return float4(local, 0, 0, LIMIT);
}
