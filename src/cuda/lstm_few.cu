/*
 * A whole step of an LSTM layer for up to 4 samples in one launch: a warp computes the four gates of one unit, products
 * with the input and with the state, and its lanes b < B then the unit's cell for each sample.
 *
 * Every weight is read once, 16 bytes a lane, from four rows at once (dots.h); 2048 units are 16 warps on each of an
 * H200's multiprocessors with 2 KB under way each, more than the memory's latency asks for. Floor: the bytes of the
 * weights; a step of 2048 units over 2048 inputs is 134 MB in float32, 67 MB in bfloat16.
 */
#include "dots.h"
#include "launch.h"
#include "lstm_cell_units.h"
#include "lstm_few.h"

constexpr int FEW_BLOCK = 128; /* four units: more would leave multiprocessors idle that have one block less */
constexpr int FEW_BLOCKS = 3; /* of a multiprocessor at least: 160 registers a thread, for what is loaded ahead */

/* One of the two products of a step. */
struct few_factor {
    const void *w; /* [4H,K]; NULL: none */
    const float *x;
    int64_t x_row, K, whole;
};

struct few_step {
    lae_cu_cell_forward cell;
    few_factor input, state;
};

template <class W, int M>
static __device__ __forceinline__ void few_add(float (&sums)[4][M], const few_factor &factor, int64_t H, int vectors,
                                               int64_t unit, int lane)
{
    if (!factor.w) return;
    dots_add(sums, static_cast<const W *>(factor.w) + unit * factor.K, H * factor.K, factor.x, factor.x_row, vectors,
             factor.K, factor.whole, lane);
}

template <class W, int M>
static __global__ void __launch_bounds__(FEW_BLOCK, FEW_BLOCKS)
lstm_few_kernel(const few_step step)
{
    const lae_cu_cell_forward &cell = step.cell;
    const int lane = (int)threadIdx.x % 32;
    const int64_t unit = (int64_t)blockIdx.x * (FEW_BLOCK / 32) + (int)threadIdx.x / 32;
    float sums[4][M] = {}, own[4][1] = {};
    if (unit >= cell.H) return;
    few_add<W>(sums, step.input, cell.H, (int)cell.B, unit, lane);
    few_add<W>(sums, step.state, cell.H, (int)cell.B, unit, lane);
    dots_join(sums);
    if (lane >= cell.B) return;
#pragma unroll
    for (int m = 0; m < M; m++)
        for (int gate = 0; gate < 4; gate++) own[gate][0] = lane == m ? sums[gate][m] : own[gate][0];
    cell_forward_units(cell, cell.part[0], lane, unit, own[0], own[1], own[2], own[3]);
}

static few_factor few_prepare(const void *w, int w_type, const float *x, int64_t x_row, int64_t B, int64_t K)
{
    few_factor factor = { w, x, x_row, K, 0 };
    if (w) factor.whole = lae_cu_dots_whole(w, K, w_type, x, B > 1 ? x_row : 0, K);
    return factor;
}

template <class W> static lstmae_status few_launch(lstmae_queue *queue, const few_step &step)
{
    const int64_t units = FEW_BLOCK / 32;
    const dim3 grid((unsigned)((step.cell.H + units - 1) / units));
    if (step.cell.B == 1) LAE_LAUNCH((lstm_few_kernel<W, 1>), grid, FEW_BLOCK, 0, lae_cu_stream(queue), step);
    else LAE_LAUNCH((lstm_few_kernel<W, LAE_CU_FEW>), grid, FEW_BLOCK, 0, lae_cu_stream(queue), step);
    return lae_cu_launched(queue, "lstm_few");
}

lstmae_status lae_cu_lstm_few(lstmae_queue *queue, const lae_cu_lstm_few_args *args)
{
    const int64_t B = args->cell.B, H = args->cell.H;
    few_step step = {};
    step.cell = args->cell;
    step.input = few_prepare(args->w_ih, args->w_type, args->x, args->x_row, B, args->I);
    step.state = few_prepare(args->w_hh, args->w_type, args->h, H, B, H);
    return args->w_type == LAE_CU_BF16 ? few_launch<__nv_bfloat16>(queue, step) : few_launch<float>(queue, step);
}
