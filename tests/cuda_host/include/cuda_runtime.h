/* <cuda_runtime.h> of the host build: device functions, the runtime's calls, and how a kernel is launched. */
#ifndef LAE_HOST_CUDA_RUNTIME_H
#define LAE_HOST_CUDA_RUNTIME_H

#include "cuda_runtime_api.h"
#include "device_functions.h"

#include <tuple>
#include <utility>

/* A kernel with its arguments, copied at the launch as the runtime does. */
struct lae_host_kernel {
    const char *name;
    const void *function;
    virtual void thread() const = 0;
    virtual ~lae_host_kernel() = default;

protected:
    lae_host_kernel(const char *name_, const void *function_) : name(name_), function(function_) {}
};

template <class... P> struct lae_host_kernel_of final : lae_host_kernel {
    void (*kernel)(P...);
    std::tuple<P...> arguments;

    lae_host_kernel_of(const char *name_, void (*kernel_)(P...), P... arguments_)
        : lae_host_kernel(name_, reinterpret_cast<const void *>(kernel_)), kernel(kernel_), arguments(arguments_...)
    {
    }
    /* not watched by ThreadSanitizer: the runtime's own copy of the arguments is nobody's race */
    __attribute__((no_sanitize("thread"))) void thread() const override { call(std::index_sequence_for<P...>()); }

private:
    template <size_t... I> __attribute__((no_sanitize("thread"))) void call(std::index_sequence<I...>) const
    {
        kernel(std::get<I>(arguments)...);
    }
};

/* Takes the kernel over; what fails is found by cudaGetLastError(). */
LAE_HOST_HIDDEN void lae_host_launch_kernel(lae_host_kernel *kernel, dim3 grid, dim3 block, size_t dynamic_bytes,
                                            cudaStream_t stream);

constexpr size_t LAE_HOST_PARAMETER_BYTES = 32764; /* since compute capability 7.0 and CUDA 12.1 */

template <class... P, class... A>
inline void lae_host_launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t dynamic_bytes,
                            cudaStream_t stream, A &&...arguments)
{
    static_assert(sizeof...(P) == sizeof...(A), "as many arguments as the kernel has parameters");
    static_assert((std::is_trivially_copyable_v<P> && ...), "parameters are copied byte by byte");
    static_assert((sizeof(P) + ... + 0) <= LAE_HOST_PARAMETER_BYTES, "too many parameters");
    lae_host_launch_kernel(new lae_host_kernel_of<P...>(name, kernel, static_cast<P>(arguments)...), grid, block,
                           dynamic_bytes, stream);
}

#endif
