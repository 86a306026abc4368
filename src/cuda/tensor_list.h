/*
 * Work over many tensors in one launch. A block takes one unit: some neighbouring elements of one tensor. The list of
 * tensors is a parameter of the kernel, as long as the 4 KiB of parameters that every GPU and driver takes allow.
 */
#ifndef LAE_CUDA_TENSOR_LIST_H
#define LAE_CUDA_TENSOR_LIST_H

#include <cuda_runtime.h>
#include <stddef.h>
#include <stdint.h>

constexpr size_t LAE_CU_PARAMETER_BYTES = 4096;

/** The last of `count` tensors whose first unit is no later than `unit`; tensors have one unit or more. */
template <typename T>
static __device__ __forceinline__ int lae_cu_tensor_of(const T *tensors, int count, int unit)
{
    int low = 0;
    for (int high = count; high - low > 1;) {
        const int middle = (low + high) / 2;
        if (tensors[middle].first <= unit) low = middle;
        else high = middle;
    }
    return low;
}

#endif
