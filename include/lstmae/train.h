/**
 * @file train.h
 * The training loop. Every step of it is public: loader, step, optimizer, schedule.
 */
#ifndef LSTMAE_TRAIN_H
#define LSTMAE_TRAIN_H

#include <lstmae/autoencoder.h>
#include <lstmae/data.h>
#include <lstmae/optim.h>
#include <lstmae/schedule.h>
#include <lstmae/seq2seq.h>

LSTMAE_BEGIN_DECLS

/**
 * Computes the loss of one batch; with `train` also adds its gradients times `scale` to the module's.
 *
 * @param train the module is in training mode when it is 1, in inference mode when it is 0
 * @param loss  receives the loss, not multiplied by `scale`; it may be NaN or infinite
 * @return OK, or an error that ends the training
 */
typedef lstmae_status (*lstmae_step_fn)(const lstmae_batch *batch, int train, double scale, double *loss,
                                        void *payload);

/** Hears the number of the update that begins, counted from 0 over all runs of a training. */
typedef void (*lstmae_update_fn)(int64_t update, void *payload);

/** What lstmae_fit() trains: parameters and a step over them. */
typedef struct lstmae_objective {
    uint32_t struct_size;
    uint32_t reserved;
    lstmae_module *module;
    lstmae_step_fn step;
    void *payload;
    lstmae_update_fn update; /**< before each update's first step: for what changes with their number; NULL: none */
} lstmae_objective;

#define LSTMAE_OBJECTIVE_INIT { sizeof(lstmae_objective), 0, NULL, NULL, NULL, NULL }

typedef struct lstmae_task lstmae_task;

/** The objective of a sequence model: lstmae_seq2seq_step() on (x, target). The task keeps model and loss alive. */
LSTMAE_API lstmae_status lstmae_task_seq2seq(lstmae_task **out, lstmae_seq2seq *model, lstmae_loss *loss);

/**
 * The objective of an autoencoding module: loss(module(x), x); of that of an lstmae_autoencoder
 * lstmae_autoencoder_step(), with the weight of the KL warming up as its options say. The task keeps module and loss
 * alive.
 */
LSTMAE_API lstmae_status lstmae_task_autoencoder(lstmae_task **out, lstmae_module *module, lstmae_loss *loss);

/**
 * The objective of layer `layer` of a stacked autoencoder alone: loss(layer(c), c) on the codes c that the layers
 * before it make of x in inference mode. Its module is the whole autoencoder's, so that a checkpoint holds all layers;
 * the optimizer is to be over that of lstmae_autoencoder_layer(). The task keeps autoencoder and loss alive.
 *
 * @return OK; ERR_INVALID_ARG for a layer out of range; ERR_NO_MEMORY, ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_task_autoencoder_layer(lstmae_task **out, lstmae_autoencoder *autoencoder, size_t layer,
                                                       lstmae_loss *loss);

/** The task's objective, borrowed from it; NULL for NULL. */
LSTMAE_API const lstmae_objective *lstmae_task_objective(const lstmae_task *task);

/** NULL is fine. */
LSTMAE_API void lstmae_task_destroy(lstmae_task *task);

typedef enum lstmae_fit_stage {
    LSTMAE_FIT_ITERATION = 0,  /**< after an update */
    LSTMAE_FIT_VALIDATION = 1, /**< after a validation */
    LSTMAE_FIT_SKIPPED = 2     /**< an update was left out: its loss or gradient was not finite */
} lstmae_fit_stage;

typedef struct lstmae_fit_event {
    uint32_t struct_size;
    int32_t stage;            /**< lstmae_fit_stage */
    int64_t iteration;        /**< updates made, over all runs of this training */
    int64_t iterations;       /**< where it will end, unless it is stopped early or updates are left out */
    int64_t epoch;            /**< epochs finished */
    double loss;              /**< mean of the update's batches; VALIDATION: of the last update, NaN before the first */
    double validation;        /**< of the last validation; NaN before the first */
    double best;              /**< lowest validation; NaN before the first */
    double lr;
    double seconds;           /**< since lstmae_fit() began */
} lstmae_fit_event;

/**
 * Return 0 to go on, anything else to stop. Objects are consistent during the call: a checkpoint saved in it resumes
 * exactly there. It may save, evaluate and use the model; the batch is gone.
 */
typedef int (*lstmae_fit_fn)(const lstmae_fit_event *event, void *payload);

#define LSTMAE_FIT_KEEP_BEST 1u    /**< when done or stopped early restore the weights of the lowest validation loss */
#define LSTMAE_FIT_NO_NAN_GUARD 2u /**< update even from a loss or gradient that is not finite */

typedef struct lstmae_fit_options {
    uint32_t struct_size;
    uint32_t flags;
    int64_t iterations;          /**< stop after so many updates in all; 0: by epochs */
    int64_t epochs;              /**< stop after so many epochs in all; 0: by iterations, or one if those are 0 too */
    int64_t accumulate;          /**< batches per update, at least 1; see lstmae_fit() */
    int64_t validate_every;      /**< updates between validations; 0: at the end of each epoch */
    int64_t validation_batches;  /**< batches of each validation; 0: its whole epoch */
    int64_t patience;            /**< validations in a row without improvement before stopping; 0: never */
    double min_delta;            /**< improvement that counts for `patience`, absolute */
    int64_t max_skips;           /**< updates left out in a row before giving up with ERR_NUMERIC, at least 1 */
    lstmae_loader *validation;   /**< NULL: none. Not the training's loader; read from its start every time */
    lstmae_schedule *schedule;   /**< NULL: the optimizer's rate stays */
    lstmae_fit_fn callback;      /**< NULL: none */
    void *payload;
} lstmae_fit_options;

#define LSTMAE_FIT_OPTIONS_INIT                                                                    \
    { sizeof(lstmae_fit_options), 0, 0, 0, 1, 0, 0, 0, 0.0, 3, NULL, NULL, NULL, NULL }

/**
 * Progress of a training that can be saved and resumed: counters, best loss and weights. It goes with the training
 * loader's position, the optimizer and the schedule: a training continues exactly when all of them are restored.
 */
typedef struct lstmae_fit_state lstmae_fit_state;

/** @return OK; ERR_INVALID_ARG; ERR_NO_MEMORY */
LSTMAE_API lstmae_status lstmae_fit_state_create(lstmae_fit_state **out, lstmae_context *context);

/** NULL is fine. */
LSTMAE_API void lstmae_fit_state_destroy(lstmae_fit_state *state);
LSTMAE_API int64_t lstmae_fit_state_iteration(const lstmae_fit_state *state); /**< updates made; 0 for NULL */
LSTMAE_API double lstmae_fit_state_best(const lstmae_fit_state *state);       /**< lowest validation; NaN: none */

/**
 * Trains.
 *
 * Before an update the schedule's rate for its number is set. An update takes `accumulate` batches, fewer where an
 * epoch ends, and divides the sum of their gradients by their number. A batch whose loss is not finite is left out with
 * those accumulated before it, a gradient that is not finite with all its batches: weights and moments, counters and
 * random numbers are then exactly as if these batches were not in the data. A stop request is heeded between updates,
 * and between batches of a validation. An update or validation that was not finished is made up for when the training
 * goes on. A training that goes on after the best weights were restored starts from those. After the first update and
 * validation of each shape nothing is allocated; after the second where the device captures updates.
 *
 * @param objective read during the call
 * @param train     continued from its position, which is then at the first batch not trained on
 * @param optimizer over the objective's module or a part of it
 * @param options   NULL: one epoch
 * @param state NULL for a training that is not to be resumed; else it is continued where it stands and brought up to
 *              date even when an error is returned
 * @return OK when done or stopped early for lack of improvement; ERR_CANCELLED when a callback or
 *         lstmae_context_request_stop() ended it (everything is consistent then and may be saved); ERR_NUMERIC after
 *         max_skips; ERR_INVALID_ARG; errors of the parts
 */
LSTMAE_API lstmae_status lstmae_fit(const lstmae_objective *objective, lstmae_loader *train,
                                    lstmae_optimizer *optimizer, const lstmae_fit_options *options,
                                    lstmae_fit_state *state);

/**
 * Mean loss per item over the first `batches` batches of a loader (0: one epoch), in inference mode: each batch counts
 * by its number of items. The module's mode and the loader's position are as before afterwards.
 */
LSTMAE_API lstmae_status lstmae_evaluate(const lstmae_objective *objective, lstmae_loader *loader, int64_t batches,
                                         double *loss);

/** As lstmae_fit_fn, with the layer that is being trained. */
typedef int (*lstmae_pretrain_fn)(size_t layer, const lstmae_fit_event *event, void *payload);

typedef struct lstmae_pretrain_options {
    uint32_t struct_size;
    uint32_t flags;                            /**< 0 */
    int64_t first;                             /**< layer to begin with; those below are used as they are */
    const lstmae_optimizer_options *optimizer; /**< of each layer, made anew; NULL: Adam with its defaults */
    const lstmae_schedule_options *schedule;   /**< of each layer, made anew; NULL: the optimizer's rate stays */
    const lstmae_fit_options *fit; /**< of each layer, with neither schedule nor callback; NULL: one epoch */
    lstmae_pretrain_fn callback;   /**< NULL: none */
    void *payload;
} lstmae_pretrain_options;

#define LSTMAE_PRETRAIN_OPTIONS_INIT { sizeof(lstmae_pretrain_options), 0, 0, NULL, NULL, NULL, NULL, NULL }

/**
 * Trains the layers of a stacked autoencoder one after the other, each on the codes of those before it, by lstmae_fit()
 * over lstmae_task_autoencoder_layer() (greedy layer-wise pre-training: Bengio, Lamblin, Popovici and Larochelle, NIPS
 * 2006). lstmae_fit() over lstmae_task_autoencoder() then trains the whole. A pre-training that is to be resumed within
 * a layer is made of these calls, with a state for each layer.
 *
 * @param loss    for the codes of every layer; that of layer 0 is for x
 * @param train   continued from its position by each layer
 * @param options NULL: one epoch for each layer
 * @return as lstmae_fit() for the layer that ended it; ERR_STATE for an autoencoder that is not stacked
 */
LSTMAE_API lstmae_status lstmae_pretrain(lstmae_autoencoder *autoencoder, lstmae_loss *loss, lstmae_loader *train,
                                         const lstmae_pretrain_options *options);

LSTMAE_END_DECLS

#endif
