#include <cuda_runtime.h>
#include "shop.cuh"

#define BLOCK 256

__constant__ float weights[16];

struct Item {
    float price;
    __host__ __device__ float twice() const { return price * 2; }
};

template <typename T>
__global__ void total(const T* items, T* out, int n) {
    __shared__ T cache[BLOCK];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = helper(items[i]) * weights[0];
}

__device__ float helper(float x) {
    return x + 1;
}

namespace shop {
class Cart {
public:
    void run(int n) {
        total<<<n / BLOCK, BLOCK>>>(items_, out_, n);
        cudaDeviceSynchronize();
    }

private:
    float* items_;
};
}
