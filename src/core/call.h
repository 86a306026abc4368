/*
 * A call of a backend's entry as a value: it can be kept as bytes, compared with another one, and made again. What
 * changes from one training step to the next by rule is left out of it and comes from lstmae_step_values: the number
 * of random draws, and an update's rate and bias corrections.
 */
#ifndef LAE_CALL_H
#define LAE_CALL_H

#include "memory.h"

#include <lstmae/backend.h>

/* Entries of one argument struct that names no host memory. */
#define LAE_CALLS_OF_ARGS(X)                                                                       \
    X(gemm, lstmae_gemm_args)                                                                      \
    X(pool_forward, lstmae_pool_args)                                                              \
    X(pool_backward, lstmae_pool_args)                                                             \
    X(upsample_forward, lstmae_upsample_args)                                                      \
    X(upsample_backward, lstmae_upsample_args)                                                     \
    X(batch_norm_forward, lstmae_norm_args)                                                        \
    X(batch_norm_backward, lstmae_norm_args)                                                       \
    X(layer_norm_forward, lstmae_norm_args)                                                        \
    X(layer_norm_backward, lstmae_norm_args)                                                       \
    X(lstm_forward, lstmae_lstm_args)                                                              \
    X(lstm_backward, lstmae_lstm_args)                                                             \
    X(lstm_weight_gradient, lstmae_lstm_args)

/* Of one step of an LSTM. */
#define LAE_CALLS_OF_CELLS(X)                                                                      \
    X(lstm_cell_forward)                                                                           \
    X(lstm_cell_backward)

#define LAE_CALLS_OF_CONVOLUTIONS(X)                                                               \
    X(conv_forward)                                                                                \
    X(conv_backward_data)                                                                          \
    X(conv_weight_gradient)

/* The others. */
#define LAE_CALLS_OF_THEIR_OWN(X)                                                                  \
    X(copy)                                                                                        \
    X(fill)                                                                                        \
    X(map)                                                                                         \
    X(map_backward)                                                                                \
    X(axpby)                                                                                       \
    X(multiply)                                                                                    \
    X(select)                                                                                      \
    X(reduce)                                                                                      \
    X(sum_squares)                                                                                 \
    X(random)                                                                                      \
    X(dropout)                                                                                     \
    X(loss)                                                                                        \
    X(update)                                                                                      \
    X(prepare)                                                                                     \
    X(conv_prepare)                                                                                \
    X(loop_prepare)                                                                                \
    X(loop_forward)                                                                                \
    X(loop_backward)                                                                               \
    X(lane)

/** The entries that are kept, LAE_CALL_gemm and so on: those that only work in device memory. */
#define LAE_CALL_NUMBER(name, ...) LAE_CALL_##name,
enum lae_call_entry {
    LAE_CALLS_OF_ARGS(LAE_CALL_NUMBER) LAE_CALLS_OF_CELLS(LAE_CALL_NUMBER) LAE_CALLS_OF_CONVOLUTIONS(LAE_CALL_NUMBER)
        LAE_CALLS_OF_THEIR_OWN(LAE_CALL_NUMBER) LAE_CALL_COUNT
};

#define LAE_CALL_VIEWS 4
#define LAE_CALL_LISTS 3

/** Pointers are borrowed. What an entry does not take is 0. */
typedef struct lae_call {
    int32_t entry;  /* lae_call_entry */
    int32_t status; /* that it returned */
    int64_t kind;
    int64_t sizes[4];
    double numbers[2];
    void *to;         /* device memory, here and below */
    const void *from, *beside;
    lstmae_random_key key;
    const void *args; /* the argument struct, its pointers to host memory NULL */
    size_t args_bytes;
    const void *lists[LAE_CALL_LISTS]; /* that an argument points to, in the host's memory; NULL: none */
    size_t list_bytes[LAE_CALL_LISTS];
    const lstmae_view *views[LAE_CALL_VIEWS]; /* in the entry's order, those an argument struct points to too */
} lae_call;

/** Calls one after the other. */
typedef struct lae_calls {
    unsigned char *bytes;
    size_t size, room;
} lae_calls;

/** Appends a call; 0 without memory, with nothing changed. */
int lae_calls_append(lae_calls *calls, lae_memory *memory, const lae_call *call);

/** The call at `offset`, whose pointers go into `calls`, and the next one's offset. */
size_t lae_calls_at(const lae_calls *calls, size_t offset, lae_call *call);

/** The offset behind the call at `offset` if that is `call`, which receives its status; else 0. */
size_t lae_calls_match(const lae_calls *calls, size_t offset, lae_call *call);

/** Becomes the first `size` bytes of `other`; 0 without memory. */
int lae_calls_assign(lae_calls *calls, lae_memory *memory, const lae_calls *other, size_t size);
void lae_calls_release(lae_calls *calls, lae_memory *memory);

/** Moves the keys of a loop's layers on by so many draws. */
void lae_call_loop_keys(lstmae_loop_layer *layers, int64_t count, uint64_t draws);

/** Makes the call. Layers of a loop are the call's own, and as before afterwards. */
lstmae_status lae_call_make(const lae_call *call, const lstmae_backend_api *api, lstmae_queue *queue,
                            const lstmae_step_values *values);

#endif
