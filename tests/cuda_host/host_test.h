/* What the stand-in's own tests have in common: device arrays, and calls that must succeed. */
#ifndef LAE_HOST_TEST_H
#define LAE_HOST_TEST_H

#include "include/cublas_v2.h"
#include "include/cuda_runtime.h"

#include "../../src/cuda/launch.h"
#include "cuda_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <vector>

extern "C" {
#include <cmocka.h>
}

#define assert_cuda(call) assert_int_equal((call), cudaSuccess)

/** A device array of `count` elements. */
template <class T> inline T *device_array(size_t count)
{
    T *memory = nullptr;
    assert_cuda(cudaMalloc(&memory, count * sizeof(T)));
    return memory;
}

/** Its content, after all that was queued on the stream. */
template <class T> inline std::vector<T> device_read(const T *memory, size_t count, cudaStream_t stream = 0)
{
    std::vector<T> content(count);
    assert_cuda(cudaMemcpyAsync(content.data(), memory, count * sizeof(T), cudaMemcpyDeviceToHost, stream));
    return content;
}

template <class T> inline void device_write(T *memory, const std::vector<T> &content, cudaStream_t stream = 0)
{
    assert_cuda(
        cudaMemcpyAsync(memory, content.data(), content.size() * sizeof(T), cudaMemcpyHostToDevice, stream));
}

inline lae_cuda_host_state host_state()
{
    lae_cuda_host_state state;
    lae_cuda_host_state_get(&state);
    return state;
}

/** cmocka fixture: every test begins with a new device, and leaves nothing on it. */
inline int host_begin(void **)
{
    lae_cuda_host_reset();
    lae_cuda_host_seed(1);
    return 0;
}

inline int host_end(void **)
{
    lae_cuda_host_reset();
    return 0;
}

#endif
