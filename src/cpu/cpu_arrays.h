/*
 * Entries of the "cpu" device that are neither products nor LSTMs: cpu_arrays.c, cpu_sums.c, cpu_random.c,
 * cpu_update.c. See backend.h. Floats are theirs; other element types go to the reference.
 */
#ifndef LAE_CPU_ARRAYS_H
#define LAE_CPU_ARRAYS_H

#include <lstmae/backend.h>

lstmae_status cpu_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src);
lstmae_status cpu_fill(lstmae_queue *queue, const lstmae_view *dst, double value);
lstmae_status cpu_map(lstmae_queue *queue, int kind, double param, const lstmae_view *y, const lstmae_view *x);
lstmae_status cpu_map_backward(lstmae_queue *queue, int kind, double param, const lstmae_view *dx,
                               const lstmae_view *dy, const lstmae_view *x, const lstmae_view *y);
lstmae_status cpu_axpby(lstmae_queue *queue, const lstmae_view *y, double alpha, const lstmae_view *x, double beta);
lstmae_status cpu_multiply(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *a, const lstmae_view *b,
                           double beta);
lstmae_status cpu_select(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *mask, const lstmae_view *a,
                         const lstmae_view *b);
lstmae_status cpu_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in, double beta);
lstmae_status cpu_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out);
lstmae_status cpu_random(lstmae_queue *queue, int kind, const lstmae_view *out, double a, double b,
                         const lstmae_random_key *key);
lstmae_status cpu_dropout(lstmae_queue *queue, const lstmae_view *y, const lstmae_view *x, double p,
                          const lstmae_random_key *key);
lstmae_status cpu_loss(lstmae_queue *queue, const lstmae_loss_args *args);
lstmae_status cpu_update(lstmae_queue *queue, const lstmae_update_args *args);

/** The reference's table, for what the entries above leave to it. */
const lstmae_backend_api *cpu_reference(const lstmae_queue *queue);

/** 1 if every view that is not NULL holds floats. */
int cpu_all_floats(int count, const lstmae_view *const *views);
#define CPU_ALL_FLOATS(count, ...) cpu_all_floats((count), (const lstmae_view *const[]){ __VA_ARGS__ })

#endif
