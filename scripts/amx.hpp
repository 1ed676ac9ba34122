// Included before every C++ file of llama.cpp when scripts/setup.sh compiles it on a processor with Intel AMX.
//
// gcc 12 tells its optimiser that _tile_loadconfig reads 8 bytes, of the 64 that it reads, and that
// _tile_loadd reads no memory at all. Stores to the rest are dropped or come too late, and llama.cpp's kernels load
// garbage and crash. Here both say what they read. With other compilers only the mark at the end remains.
#pragma once
#if defined(__AMX_TILE__)
#if defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

struct codemoat_tile_config {
    char bytes[64];
};
#undef _tile_loadconfig
#define _tile_loadconfig(config) \
    __asm__ volatile("ldtilecfg\t%X0" ::"m"(*(const struct codemoat_tile_config *)(config)) : "memory")
#undef _tile_loadd_internal
#define _tile_loadd_internal(dst, base, stride)                                             \
    __asm__ volatile("{tileloadd\t(%0,%1,1), %%tmm" #dst "|tileloadd\t%%tmm" #dst ", [%0+%1*1]}" \
                     ::"r"((const void *)(base)), "r"((long)(stride))                       \
                     : "memory")
#endif

// What assistant/llama/native.py looks for before it lets these kernels run.
extern "C" __attribute__((weak, visibility("default"))) int codemoat_amx_is_sound;
__attribute__((weak, visibility("default"))) int codemoat_amx_is_sound = 1;
#endif
