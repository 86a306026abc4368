/* *out = scale * sum + *out, of the sums that blocks left: one block, which adds a few thousand at most. */
#include "block_sum.h"

static __global__ void __launch_bounds__(LAE_CU_SUM_BLOCK)
total_kernel(const double *sums, int64_t count, double scale, int add, double *out)
{
    double sum = 0.0;
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < count; i += LAE_CU_SUM_BLOCK) sum += sums[i];
    sum = scale * lae_cu_block_sum<LAE_CU_SUM_BLOCK>(sum);
    if (threadIdx.x == 0) *out = add ? *out + sum : sum;
}

unsigned lae_cu_sum_blocks(int64_t units)
{
    /* as many as a large GPU runs at once */
    const int64_t most = 1024, blocks = (units + 4 * LAE_CU_SUM_BLOCK - 1) / (4 * LAE_CU_SUM_BLOCK);
    return (unsigned)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

lstmae_status lae_cu_total(lstmae_queue *queue, const double *sums, int64_t count, double scale, int add, double *out)
{
    LAE_LAUNCH((total_kernel), 1, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), sums, count, scale, add, out);
    return lae_cu_launched(queue, "total");
}
