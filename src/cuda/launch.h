/*
 * What differs between nvcc and the host build of the same files (tests/cuda_host): launching a kernel, and memory
 * that a block shares.
 *
 *   LAE_LAUNCH((kernel<T>), grid, block, dynamic_bytes, stream, arguments...);
 *   LAE_SHARED(float, tile, [16][17]);      in a kernel: float tile[16][17], shared by the block
 *   LAE_SHARED_DYNAMIC(float, name);        in a kernel: the dynamic part, as float *name
 */
#ifndef LAE_CUDA_LAUNCH_H
#define LAE_CUDA_LAUNCH_H

#include <cuda_runtime.h>

#ifdef __CUDACC__

#define LAE_LAUNCH(kernel, grid, block, dynamic_bytes, stream, ...)                                \
    kernel<<<(grid), (block), (dynamic_bytes), (stream)>>>(__VA_ARGS__)

#define LAE_SHARED(type, name, dims) __shared__ type name dims

#define LAE_SHARED_DYNAMIC(type, name)                                                             \
    extern __shared__ __align__(16) unsigned char lae_shared_bytes[];                              \
    type *name = reinterpret_cast<type *>(lae_shared_bytes)

#else

#define LAE_LAUNCH(kernel, grid, block, dynamic_bytes, stream, ...)                                \
    lae_host_launch(#kernel, kernel, (grid), (block), (dynamic_bytes), (stream), __VA_ARGS__)

#define LAE_SHARED(type, name, dims)                                                               \
    static lae_host_site name##_site;                                                              \
    using name##_array = type dims;                                                                \
    name##_array &name = *static_cast<name##_array *>(lae_host_shared(&name##_site, sizeof(name##_array)))

#define LAE_SHARED_DYNAMIC(type, name) type *name = static_cast<type *>(lae_host_shared_dynamic())

#endif

#endif
