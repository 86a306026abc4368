/*
 * What the files of test_misuse share: calls that must be refused, each noted by name, and one object of every kind.
 * A new noun gets a file misuse_<topic>.c of its own, whose tests stand in main()'s list.
 */
#ifndef LAE_TEST_MISUSE_H
#define LAE_TEST_MISUSE_H

#include "support.h"

/** Notes that the function lstmae_<name> was called wrongly. */
void misuse_cover(const char *name);

/** Calls lstmae_<name> with arguments that must give LSTMAE_<code>. */
#define REFUSED(code, name, ...) (misuse_cover(#name), assert_fails(lstmae_##name(__VA_ARGS__), code))

/** Calls a function whose result for nothing is a value. */
#define GIVES(value, name, ...) (misuse_cover(#name), assert_true(lstmae_##name(__VA_ARGS__) == (value)))

/** Calls a function that must accept NULL in silence. */
#define ACCEPTS_NULL(name) (misuse_cover(#name), lstmae_##name(NULL))

/** A size that is too small, and one that is larger with a byte this library does not know. */
#define REFUSES_SIZES(type, init, call)           \
    do {                                          \
        struct {                                  \
            type options;                         \
            uint8_t more[8];                      \
        } grown = { init, { 0 } };                \
        const type *options = &grown.options;     \
        grown.options.struct_size = 0;            \
        assert_fails(call, ERR_INVALID_ARG);      \
        grown.options.struct_size = 4;            \
        assert_fails(call, ERR_INVALID_ARG);      \
        grown.options.struct_size = sizeof grown; \
        grown.more[5] = 1;                        \
        assert_fails(call, ERR_UNSUPPORTED);      \
    } while (0)

/** Given to every test as its state. */
typedef struct misuse_objects {
    lstmae_context *context, *other;
    lstmae_tensor *x, *future, *integers, *foreign, *flat;
    lstmae_module *lstm, *linear;
    lstmae_seq2seq *model;
    lstmae_loss *loss;
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
    lstmae_dataset *dataset;
    lstmae_loader *loader;
    lstmae_task *task;
    lstmae_fit_state *state;
} misuse_objects;

/* misuse_series.c */
void misuse_tables(void **state);
void misuse_scalers(void **state);
void misuse_scores(void **state);
void misuse_thresholds(void **state);

/* misuse_data.c */
void misuse_images(void **state);

/* misuse_session.c */
void misuse_sessions(void **state);

/* misuse_results.c */
void misuse_measures(void **state);
void misuse_pca(void **state);
void misuse_neighbors(void **state);
void misuse_pictures(void **state);
void misuse_events(void **state);
void misuse_projector(void **state);
void misuse_npy(void **state);

/* misuse_layers.c */
void misuse_convolutions(void **state);
void misuse_norms(void **state);
void misuse_pools(void **state);
void misuse_reshapes(void **state);

/* misuse_autoencoder.c */
void misuse_autoencoder_sizes(void **state);
void misuse_noise(void **state);
void misuse_autoencoder_create(void **state);
void misuse_autoencoder(void **state);
void misuse_pretrain_options(void **state);
void misuse_seq2seq_code(void **state);
void misuse_seq2seq_latent(void **state);

#endif
