#include "product.h"

/* Rows of A times steps of k that stay in the second-level cache while panels stream by: 288 KB. */
#define PRODUCT_ROW_BLOCK 144

/* Steps of k packed at once, while the lines that are written stay in the cache. */
#define PACK_K_BLOCK 256

/* Packed operands larger than this go past the caches, which would not keep them until they are read. */
#define PACK_STREAM_BYTES ((size_t)8 << 20)

static inline int64_t product_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t lae_panel_count(const lae_kernels *kernels, lae_columns columns)
{
    const int64_t each = columns.units ? kernels->lanes : lae_panel_columns(kernels);
    const int64_t count = columns.units ? columns.units : columns.count;
    return (count + each - 1) / each;
}

size_t lae_panels_floats(const lae_kernels *kernels, lae_columns columns, int64_t K)
{
    return (size_t)(lae_panel_count(kernels, columns) * lae_panel_columns(kernels)) * (size_t)K;
}

size_t lae_tiles_floats(int64_t M, int64_t K)
{
    return (size_t)((M + LAE_TILE_ROWS - 1) / LAE_TILE_ROWS) * (size_t)lae_tile_floats(K);
}

/* The cut whose largest part is smallest; the one with most parts across where several are. */
lae_grid lae_grid_of(int64_t M, int64_t panels, int threads)
{
    const int64_t tiles = (M + LAE_TILE_ROWS - 1) / LAE_TILE_ROWS;
    lae_grid best = { threads, 1 };
    int64_t least = INT64_MAX;
    for (int across = threads; across >= 1; across--) {
        const int down = threads / across;
        const int64_t most = ((panels + across - 1) / across) * ((tiles + down - 1) / down);
        if (most < least) {
            least = most;
            best.across = across;
            best.down = down;
        }
    }
    return best;
}

void lae_grid_part(lae_grid grid, int64_t M, int64_t panels, int thread, int64_t *p0, int64_t *p1, int64_t *m0,
                   int64_t *m1)
{
    *p0 = *p1 = *m0 = *m1 = 0;
    if (thread >= grid.across * grid.down) return;
    lae_pool_part(panels, thread % grid.across, grid.across, p0, p1);
    lae_pool_part((M + LAE_TILE_ROWS - 1) / LAE_TILE_ROWS, thread / grid.across, grid.down, m0, m1);
    *m0 *= LAE_TILE_ROWS;
    *m1 = product_least(*m1 * LAE_TILE_ROWS, M);
}

void lae_sweep_columns(const lae_kernels *kernels, lae_sweep *sweep, lae_columns columns, int64_t p, float *c,
                       const float *c_in)
{
    const int64_t lanes = kernels->lanes, each = lae_panel_columns(kernels);
    if (columns.units) {
        sweep->vectors = LAE_PANEL_VECTORS;
        sweep->most = sweep->last = product_least(columns.units - p * lanes, lanes);
        sweep->c_vec = sweep->in_vec = columns.units;
        sweep->c = c + p * lanes;
        sweep->c_in = c_in ? c_in + p * lanes : NULL;
        return;
    }
    const int64_t n = product_least(columns.count - p * each, each);
    sweep->vectors = (n + lanes - 1) / lanes;
    sweep->most = lanes;
    sweep->last = n - (sweep->vectors - 1) * lanes;
    sweep->c_vec = sweep->in_vec = lanes;
    sweep->c = c + p * each;
    sweep->c_in = c_in ? c_in + p * each : NULL;
}

/* Rows [m, m + rows) of all panels, for one block of k; a run of evenly spaced rows at a time. */
static void product_rows(const lae_kernels *kernels, const lae_product *product, lae_sweep *sweep, int64_t k0,
                         int64_t p, int64_t m, int64_t rows)
{
    for (const int64_t end = m + rows; m < end; m += sweep->rows) {
        sweep->rows = lae_row_run(&product->c_rows, m, end - m);
        sweep->a = product->a;
        if (product->a_tile) {
            sweep->a += m / LAE_TILE_ROWS * product->a_tile + k0 * LAE_TILE_ROWS;
        } else {
            sweep->rows = lae_row_run(&product->a_rows, m, sweep->rows);
            sweep->a += lae_row_at(&product->a_rows, m) + k0;
        }
        float *c = product->c + lae_row_at(&product->c_rows, m);
        const int from_c = k0 || product->from_c;
        sweep->in_row = from_c ? product->c_rows.row : 0;
        lae_sweep_columns(kernels, sweep, product->columns, p, c, from_c ? c : product->bias);
        kernels->sweep(sweep);
    }
}

/*
 * A block of k and rows of A stays in the cache while this thread's panels pass. Sums of blocks are added to C in
 * order, and blocks depend on K alone: the bits are the same for any cut between threads.
 */
void lae_product_part(const lae_kernels *kernels, const lae_product *product, int64_t p0, int64_t p1, int64_t m0,
                      int64_t m1)
{
    const int64_t each = lae_panel_columns(kernels), K = product->K;
    lae_sweep sweep = { 0 };
    sweep.a_row = product->a_rows.row;
    sweep.a_tile = product->a_tile;
    sweep.c_row = product->c_rows.row;
    for (int64_t k0 = 0; k0 == 0 || k0 < K; k0 += LAE_K_BLOCK) {
        sweep.k = product_least(K - k0, LAE_K_BLOCK);
        for (int64_t m = m0; m < m1; m += PRODUCT_ROW_BLOCK) {
            for (int64_t p = p0; p < p1; p++) {
                sweep.b = product->panels + (p * K + k0) * each;
                product_rows(kernels, product, &sweep, k0, p, m, product_least(m1 - m, PRODUCT_ROW_BLOCK));
            }
        }
    }
}

static int pack_streams(const lae_kernels *kernels, lae_columns columns, int64_t K)
{
    return lae_panels_floats(kernels, columns, K) > PACK_STREAM_BYTES / sizeof(float);
}

void lae_pack_columns_part(const lae_kernels *kernels, float *panels, const float *w, int64_t ldw, lae_columns columns,
                           int64_t K, int64_t p0, int64_t p1)
{
    const int64_t lanes = kernels->lanes, each = lae_panel_columns(kernels);
    const int stream = pack_streams(kernels, columns, K);
    const int64_t block = stream ? K : PACK_K_BLOCK;
    for (int64_t p = p0; p < p1; p++) {
        for (int64_t k0 = 0; k0 < K; k0 += block) {
            for (int64_t v = 0; v < LAE_PANEL_VECTORS; v++) {
                const int64_t row = columns.units ? v * columns.units + p * lanes : p * each + v * lanes;
                const int64_t left = columns.units ? columns.units - p * lanes : columns.count - row;
                const int64_t rows = left < 0 ? 0 : product_least(left, lanes);
                kernels->pack_columns(panels + (p * K + k0) * each + v * lanes, rows ? w + row * ldw + k0 : w, ldw,
                                      rows, product_least(K - k0, block), stream);
            }
        }
    }
}

void lae_pack_rows_part(const lae_kernels *kernels, float *panels, const float *w, const lae_rows *rows, int64_t first,
                        int64_t N, int64_t K, int64_t p0, int64_t p1)
{
    const int64_t each = lae_panel_columns(kernels), columns = product_least(p1 * each, N) - p0 * each;
    const int stream = pack_streams(kernels, (lae_columns){ N, 0 }, K);
    for (int64_t k = 0, run; k < K; k += run) {
        run = lae_row_run(rows, first + k, K - k);
        kernels->pack_rows(panels + (p0 * K + k) * each, K * each, w + lae_row_at(rows, first + k) + p0 * each,
                           rows->row, columns, run, stream);
    }
}

void lae_pack_tiles_part(const lae_kernels *kernels, float *tiles, const float *a, int64_t lda, int64_t M, int64_t K,
                         int64_t t0, int64_t t1)
{
    const int64_t m0 = t0 * LAE_TILE_ROWS, each = lae_tile_floats(K);
    kernels->pack_tiles(tiles + t0 * each, each, a + m0, lda, product_least(t1 * LAE_TILE_ROWS, M) - m0, K);
}
