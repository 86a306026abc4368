/* Kernels on the host build: every thread runs, barriers and warps hold, mistakes are found. */
#include "host_test.h"

static __global__ void places_kernel(unsigned *count, uint3 *thread, uint3 *block)
{
    unsigned blocks = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned threads = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    unsigned index = blocks * blockDim.x * blockDim.y * blockDim.z + threads;
    atomicAdd(&count[index], 1u);
    thread[index] = threadIdx;
    block[index] = blockIdx;
}

static void test_every_thread_runs_once(void **)
{
    const dim3 grids[] = { dim3(1), dim3(7), dim3(3, 5, 2) }, blocks[] = { dim3(1), dim3(33), dim3(1024), dim3(5, 7, 3) };
    for (dim3 grid : grids)
        for (dim3 block : blocks) {
            size_t total = size_t(grid.x) * grid.y * grid.z * block.x * block.y * block.z;
            unsigned *count = device_array<unsigned>(total);
            uint3 *thread = device_array<uint3>(total), *place = device_array<uint3>(total);
            assert_cuda(cudaMemsetAsync(count, 0, total * sizeof *count));
            LAE_LAUNCH(places_kernel, grid, block, 0, 0, count, thread, place);
            assert_cuda(cudaGetLastError());
            std::vector<unsigned> counts = device_read(count, total);
            std::vector<uint3> threads = device_read(thread, total), places = device_read(place, total);
            for (size_t i = 0; i < total; i++) {
                assert_int_equal(counts[i], 1);
                assert_true(threads[i].x < block.x && threads[i].y < block.y && threads[i].z < block.z);
                assert_true(places[i].x < grid.x && places[i].y < grid.y && places[i].z < grid.z);
            }
            assert_cuda(cudaFree(count));
            assert_cuda(cudaFree(thread));
            assert_cuda(cudaFree(place));
        }
}

enum barriers { BARRIERS_ALL, BARRIERS_NOT_BEFORE_READING, BARRIERS_NOT_BETWEEN_ROWS };

/* sum[row] = sum of x over the row, first by warps and then over their sums; a block has two rows, one after another */
template <barriers THERE> static __global__ void sum_kernel(float *sum, const float *x, unsigned rows)
{
    LAE_SHARED(float, partial, [32]);
    for (unsigned row = blockIdx.x; row < rows; row += gridDim.x) {
        float value = x[row * blockDim.x + threadIdx.x];
        for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, unsigned(step));
        if (THERE != BARRIERS_NOT_BETWEEN_ROWS) __syncthreads();
        if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
        if (THERE != BARRIERS_NOT_BEFORE_READING) __syncthreads();
        if (threadIdx.x >= 32) continue;
        value = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0.0f;
        for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
        if (threadIdx.x == 0) sum[row] = value;
    }
}

/* How many of `rows` sums are right. */
template <barriers THERE> static unsigned sums_right(unsigned rows, unsigned block)
{
    std::vector<float> input(rows * block);
    float *x = device_array<float>(input.size()), *sum = device_array<float>(rows);
    unsigned right = 0;
    for (size_t i = 0; i < input.size(); i++) input[i] = float(i % 7);
    device_write(x, input);
    LAE_LAUNCH((sum_kernel<THERE>), (rows + 1) / 2, block, 0, 0, sum, x, rows);
    assert_cuda(cudaGetLastError());
    std::vector<float> sums = device_read(sum, rows);
    for (unsigned i = 0; i < rows; i++) {
        float wanted = 0.0f;
        for (unsigned j = 0; j < block; j++) wanted += input[i * block + j];
        right += sums[i] == wanted;
    }
    assert_cuda(cudaFree(x));
    assert_cuda(cudaFree(sum));
    return right;
}

static void test_barriers_and_shuffles(void **)
{
    for (unsigned block = 32; block <= 1024; block *= 2) assert_int_equal(sums_right<BARRIERS_ALL>(9, block), 9);
}

static void test_a_missing_barrier_shows(void **)
{
    assert_true(sums_right<BARRIERS_NOT_BEFORE_READING>(50, 256) < 50);
    assert_true(sums_right<BARRIERS_NOT_BETWEEN_ROWS>(50, 256) < 50);
}

static __global__ void warps_kernel(unsigned *out)
{
    unsigned lane = threadIdx.x % 32, half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    unsigned *mine = out + 8 * threadIdx.x;
    mine[0] = __shfl_sync(0xffffffffu, threadIdx.x, 5);
    mine[1] = __shfl_up_sync(0xffffffffu, lane, 3u);
    mine[2] = __shfl_xor_sync(0xffffffffu, lane, 7, 8);
    mine[3] = __shfl_down_sync(0xffffffffu, lane, 5u, 8);
    mine[4] = __ballot_sync(0xffffffffu, lane % 3 == 0);
    if (lane < 16) /* two halves that go their own ways */
        mine[5] = __shfl_sync(half, lane, 2) + __shfl_sync(half, lane, 3);
    else
        mine[5] = __shfl_sync(half, lane, 20);
    __syncwarp();
    mine[6] = unsigned(__any_sync(0xffffffffu, lane == 9)) + 2u * unsigned(__all_sync(0xffffffffu, lane < 31));
    mine[7] = (unsigned)(__shfl_sync(0xffffffffu, double(lane), 31) * 2.0);
}

static void test_warp_primitives(void **)
{
    unsigned *out = device_array<unsigned>(64 * 8), ballot = 0;
    for (unsigned i = 0; i < 32; i += 3) ballot |= 1u << i;
    LAE_LAUNCH(warps_kernel, 1, 64, 0, 0, out);
    std::vector<unsigned> got = device_read(out, 64 * 8);
    for (unsigned i = 0; i < 64; i++) {
        const unsigned *mine = &got[8 * i];
        unsigned lane = i % 32;
        assert_int_equal(mine[0], i / 32 * 32 + 5);
        assert_int_equal(mine[1], lane < 3 ? lane : lane - 3);
        assert_int_equal(mine[2], lane ^ 7);
        assert_int_equal(mine[3], lane % 8 + 5 < 8 ? lane + 5 : lane);
        assert_int_equal(mine[4], ballot);
        assert_int_equal(mine[5], lane < 16 ? 5 : 20);
        assert_int_equal(mine[6], 1);
        assert_int_equal(mine[7], 62);
    }
    assert_cuda(cudaFree(out));
}

static __global__ void predicates_kernel(int *out)
{
    int any = __syncthreads_or(threadIdx.x == 40), none = __syncthreads_or(0);
    int all = __syncthreads_and(1), some = __syncthreads_and(threadIdx.x != 3);
    int count = __syncthreads_count(threadIdx.x % 5 == 0);
    out[threadIdx.x] = any + 2 * none + 4 * all + 8 * some + 16 * count;
}

static void test_barriers_with_predicates(void **)
{
    int *out = device_array<int>(100);
    LAE_LAUNCH(predicates_kernel, 1, 100, 0, 0, out);
    for (int value : device_read(out, 100)) assert_int_equal(value, 1 + 4 + 16 * 20);
    assert_cuda(cudaFree(out));
}

/* Each thread reads what nobody wrote, then writes it: the next block must not see that. */
static __global__ void unwritten_kernel(float *out, int write)
{
    LAE_SHARED(float, once, [2][64]);
    LAE_SHARED_DYNAMIC(float, twice);
    out[128 * blockIdx.x + threadIdx.x] = once[1][threadIdx.x];
    out[128 * blockIdx.x + 64 + threadIdx.x] = twice[threadIdx.x];
    if (write) once[1][threadIdx.x] = twice[threadIdx.x] = 1.0f;
}

static void test_shared_memory_is_poisoned(void **)
{
    float *out = device_array<float>(3 * 128);
    LAE_LAUNCH(unwritten_kernel, 3, 64, 64 * sizeof(float), 0, out, 1);
    for (float value : device_read(out, 3 * 128)) assert_true(isnan(value));
    assert_cuda(cudaFree(out));
}

enum mistake { BARRIER_IN_HALF, EXIT_BEFORE_BARRIER, TWO_BARRIERS, LANES_MISSING, TRAP, SHARED_TOO_LARGE };

static __global__ void mistake_kernel(mistake what, float *out)
{
    switch (what) {
    case BARRIER_IN_HALF:
        if (threadIdx.x < 16) __syncthreads();
        break;
    case EXIT_BEFORE_BARRIER:
        if (threadIdx.x == 63) return;
        __syncthreads();
        break;
    case TWO_BARRIERS:
        if (threadIdx.x < 32) {
            __syncthreads();
        } else {
            __syncthreads();
        }
        break;
    case LANES_MISSING:
        if (threadIdx.x % 2) out[threadIdx.x] = __shfl_sync(0xffffffffu, 1.0f, 0);
        break;
    case TRAP:
        if (threadIdx.x == 5) __trap();
        break;
    case SHARED_TOO_LARGE: {
        LAE_SHARED(float, large, [13000]);
        out[0] = large[threadIdx.x];
        break;
    }
    }
}

static void test_mistakes_are_launch_failures(void **)
{
    const char *texts[] = { "divergent barrier", "divergent barrier", "divergent barrier",
                            "divergent warp",    "__trap()",          "more shared memory" };
    for (int what = BARRIER_IN_HALF; what <= SHARED_TOO_LARGE; what++) {
        float *out = device_array<float>(64);
        LAE_LAUNCH(mistake_kernel, 2, 64, 0, 0, static_cast<mistake>(what), out);
        assert_cuda(cudaGetLastError());
        assert_int_equal(cudaStreamSynchronize(0), cudaErrorLaunchFailure);
        assert_non_null(strstr(lae_cuda_host_fault(), "mistake_kernel"));
        assert_non_null(strstr(lae_cuda_host_fault(), texts[what]));
        assert_int_equal(cudaGetLastError(), cudaErrorLaunchFailure); /* for ever */
        assert_int_equal(cudaGetLastError(), cudaErrorLaunchFailure);
        assert_int_equal(cudaFree(out), cudaErrorLaunchFailure);
        assert_int_equal(host_state().calls_after_loss, 0);
        assert_int_equal(host_state().device_blocks, 0);
        lae_cuda_host_reset();
        assert_int_equal(sums_right<BARRIERS_ALL>(2, 64), 2); /* workers left behind are of use again */
    }
}

static __global__ void nothing_kernel() {}
static __global__ void dynamic_kernel(float *out)
{
    LAE_SHARED_DYNAMIC(float, all);
    all[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    out[threadIdx.x] = all[blockDim.x - 1 - threadIdx.x];
}

template <class... A> static cudaError_t launch_error(void (*kernel)(A...), dim3 grid, dim3 block, size_t bytes, A... a)
{
    lae_host_launch("kernel", kernel, grid, block, bytes, 0, a...);
    return cudaGetLastError();
}

static void test_limits(void **)
{
    float *out = device_array<float>(64);
    assert_int_equal(launch_error(nothing_kernel, dim3(0), dim3(32), 0), cudaErrorInvalidConfiguration);
    assert_int_equal(launch_error(nothing_kernel, dim3(1), dim3(0), 0), cudaErrorInvalidConfiguration);
    assert_int_equal(launch_error(nothing_kernel, dim3(1), dim3(1025), 0), cudaErrorInvalidConfiguration);
    assert_int_equal(launch_error(nothing_kernel, dim3(1), dim3(32, 33), 0), cudaErrorInvalidConfiguration);
    assert_int_equal(launch_error(nothing_kernel, dim3(1), dim3(1, 1, 65), 0), cudaErrorInvalidConfiguration);
    assert_int_equal(launch_error(nothing_kernel, dim3(1, 65536), dim3(1), 0), cudaErrorInvalidConfiguration);
    assert_cuda(launch_error(nothing_kernel, dim3(1, 65535), dim3(1), 0));
    assert_int_equal(launch_error(dynamic_kernel, dim3(1), dim3(64), (48 << 10) + 1, out), cudaErrorInvalidValue);
    assert_int_equal(cudaFuncSetAttribute(dynamic_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 100 << 10),
                     cudaErrorInvalidValue);
    assert_cuda(cudaFuncSetAttribute(dynamic_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 99 << 10));
    (void)cudaGetLastError();
    assert_cuda(launch_error(dynamic_kernel, dim3(1), dim3(64), 99 << 10, out));
    std::vector<float> got = device_read(out, 64);
    for (size_t i = 0; i < 64; i++) assert_true(got[i] == float(63 - i));
    assert_cuda(cudaFree(out));
}

/* The order of threads is another one for each block and seed, and the same again for a seed. */
static __global__ void order_kernel(unsigned *order, unsigned *ticket)
{
    order[atomicAdd(ticket, 1u)] = blockIdx.x * blockDim.x + threadIdx.x;
}

static std::vector<unsigned> order_of(uint64_t seed)
{
    unsigned *order = device_array<unsigned>(512), *ticket = device_array<unsigned>(1);
    lae_cuda_host_seed(seed);
    assert_cuda(cudaMemsetAsync(ticket, 0, sizeof *ticket));
    LAE_LAUNCH(order_kernel, 4, 128, 0, 0, order, ticket);
    std::vector<unsigned> got = device_read(order, 512);
    assert_cuda(cudaFree(order));
    assert_cuda(cudaFree(ticket));
    return got;
}

static void test_the_seed_chooses_the_order(void **)
{
    std::vector<unsigned> first = order_of(3);
    assert_true(first == order_of(3));
    assert_true(first != order_of(4));
}

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_thread_runs_once, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_barriers_and_shuffles, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_a_missing_barrier_shows, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_warp_primitives, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_barriers_with_predicates, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_shared_memory_is_poisoned, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_mistakes_are_launch_failures, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_limits, host_begin, host_end),
        cmocka_unit_test_setup_teardown(test_the_seed_chooses_the_order, host_begin, host_end),
    };
    return cmocka_run_group_tests_name("blocks", tests, nullptr, nullptr);
}
