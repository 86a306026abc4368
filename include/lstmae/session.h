/**
 * @file session.h
 * Trained models at work on a stream: one sample in; a score, an alarm, errors, a code and a forecast out.
 *
 * lstmae_frozen is an immutable copy of a model's weights, packed for the CPU, whatever device the model is on, unless
 * LSTMAE_FROZEN_DEVICE asks for that device. Any number of sessions share one, each session on one thread at a time,
 * different sessions on different threads at once.
 *
 * lstmae_session is one stream through such a model. After its creation a push allocates nothing, takes no lock and
 * makes no system call, and denormal numbers do not slow it down. (With helping threads, see
 * lstmae_session_options.threads, those that fell asleep are woken by a system call. On a GPU its driver does as it
 * likes, and the host waits for it.)
 *
 * Allocator hooks of the model's context serve frozen models and sessions too, and from the threads that create and
 * destroy them.
 */
#ifndef LSTMAE_SESSION_H
#define LSTMAE_SESSION_H

#include <lstmae/module.h>
#include <lstmae/scaler.h>
#include <lstmae/score.h>
#include <lstmae/threshold.h>

LSTMAE_BEGIN_DECLS

/* ---- frozen models ---- */

/** How a window of T samples of F features is given to a module, and how what it gives back lies. */
typedef enum lstmae_window_layout {
    LSTMAE_WINDOW_SEQUENCE = 0, /**< [T,1,F]: sequence models */
    LSTMAE_WINDOW_FLAT = 1,     /**< [1,T*F]: dense models */
    LSTMAE_WINDOW_CHANNELS = 2  /**< [1,F,T]: convolutions over time */
} lstmae_window_layout;

#define LSTMAE_FROZEN_DEVICE 1u /**< with a state: sessions run where the module is, in its precision, each with 64 MB
                                     of a GPU; for weights that no cache holds. A CPU's module: as without it */

typedef struct lstmae_frozen_options {
    uint32_t struct_size;
    int32_t layout;   /**< lstmae_window_layout */
    int64_t window;   /**< T: the model sees the last T samples; 0: it keeps a state, and makes one step a sample */
    int64_t features; /**< F of a window; 0: as the module says, which only a seq2seq does */
    uint32_t flags;   /**< LSTMAE_FROZEN_… */
    uint32_t reserved; /**< 0 */
} lstmae_frozen_options;

#define LSTMAE_FROZEN_OPTIONS_INIT { sizeof(lstmae_frozen_options), LSTMAE_WINDOW_SEQUENCE, 0, 0, 0, 0 }

/**
 * Freezes a model as it is now; later changes of the module do not reach the copy.
 *
 * With a state: an LSTM of one direction, or a chain of LSTMs, linear layers and activations. What the chain says about
 * a sample is the session's output; the last LSTM's hidden state is its code.
 *
 * Over windows: a seq2seq's module, whose first decoder of the input reconstructs the window and whose first FUTURE
 * decoder forecasts what follows; an autoencoder's module; or any other that gives an output of its input's shape.
 * LSTMs start from zeros in each window. Random layers are off.
 *
 * @param module  of element type float32; its device is waited for
 * @param options NULL for defaults
 * @return OK; ERR_UNSUPPORTED for a module that cannot be run so, and for windows on a device; ERR_DTYPE; ERR_SHAPE;
 *         ERR_INVALID_ARG naming the option out of range; ERR_NO_MEMORY; ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_frozen_create(lstmae_frozen **out, lstmae_module *module,
                                              const lstmae_frozen_options *options);

/** Gives up one reference; sessions keep theirs. NULL is fine. May be called on any thread. */
LSTMAE_API void lstmae_frozen_destroy(lstmae_frozen *frozen);

typedef struct lstmae_frozen_info {
    uint32_t struct_size;
    uint32_t fingerprint; /**< of structure and weights: equal for equal models */
    int64_t window;       /**< T; 0: the model keeps a state */
    int64_t features;     /**< F: values of a sample */
    int64_t outputs;      /**< O: values of an output; F over windows, 0 where nothing is reconstructed */
    int64_t code;         /**< values of a code; 0: none */
    int64_t forecast;     /**< over windows: samples that are forecast; 0: none */
    uint64_t bytes;       /**< of the weights as they are held */
} lstmae_frozen_info;

#define LSTMAE_FROZEN_INFO_INIT { sizeof(lstmae_frozen_info), 0, 0, 0, 0, 0, 0, 0 }

/** Fills `info` (at most info->struct_size bytes). */
LSTMAE_API lstmae_status lstmae_frozen_describe(const lstmae_frozen *frozen, lstmae_frozen_info *info);

/* ---- sessions ---- */

/** What samples are compared with. */
typedef enum lstmae_compare {
    LSTMAE_COMPARE_SAME = 0, /**< what was computed from them: reconstructions */
    LSTMAE_COMPARE_NEXT = 1, /**< what was said before they came: with a state the last output, over windows the part of
                                  the last forecast that is about them */
    LSTMAE_COMPARE_NONE = 2  /**< nothing: no scores */
} lstmae_compare;

/** Which samples of a window its score is about. */
typedef enum lstmae_window_score {
    LSTMAE_WINDOW_LAST = 0, /**< the newest, as LSTMAE_POINT_LAST */
    LSTMAE_WINDOW_MEAN = 1, /**< the mean of all their scores */
    LSTMAE_WINDOW_MOST = 2  /**< the one with the largest */
} lstmae_window_score;

/** What a sample's score is, from its errors e = sample - output, scaled. */
typedef enum lstmae_session_score {
    LSTMAE_SESSION_SQUARED = 0,     /**< mean over channels of e^2 */
    LSTMAE_SESSION_ABSOLUTE = 1,    /**< mean over channels of |e| */
    LSTMAE_SESSION_MAHALANOBIS = 2, /**< by `gaussian`: LSTMAE_GAUSSIAN_MAHALANOBIS */
    LSTMAE_SESSION_DENSITY = 3      /**< by `gaussian`: LSTMAE_GAUSSIAN_DENSITY */
} lstmae_session_score;

#define LSTMAE_SESSION_HOLD 1u /**< a value that is not finite is taken as the channel's last one, without error */
#define LSTMAE_SESSION_REFIT 2u /**< `scaler` goes on learning, from whole samples that are no alarms */

typedef struct lstmae_session_options {
    uint32_t struct_size;
    uint32_t flags;       /**< LSTMAE_SESSION_… */
    int32_t compare;      /**< lstmae_compare */
    int32_t score;        /**< lstmae_session_score */
    int32_t window_score; /**< lstmae_window_score, with SAME */
    int32_t threads;      /**< 0, 1: the calling thread alone; n: n - 1 workers help where a model is large enough */
    int64_t every;        /**< windows are evaluated when full, and then after every so many samples; at least 1 */
    double alpha;         /**< of an exponential moving average of scores (lstmae_ewma), in [0,1]; 0: none */
    double level;         /**< an alarm is a score above it; without `threshold` */
    const lstmae_scaler *scaler;       /**< what the model sees of samples; NULL: all of them as they are */
    const lstmae_gaussian *gaussian;   /**< fitted to errors of as many channels as are compared; NULL: none */
    const lstmae_threshold *threshold; /**< says what is an alarm, and learns as lstmae_threshold_update() states;
                                            NULL: `level` does */
} lstmae_session_options;

#define LSTMAE_SESSION_OPTIONS_INIT                                                                \
    { sizeof(lstmae_session_options), 0, LSTMAE_COMPARE_SAME, LSTMAE_SESSION_SQUARED, LSTMAE_WINDOW_LAST, 0, 1, \
      0.0, LSTMAE_NO_LEVEL, NULL, NULL, NULL }

/** The largest double: no score is above it. */
#define LSTMAE_NO_LEVEL 1.7976931348623157e308

/**
 * Opens a stream over `frozen`. Where outputs are compared with samples, O must be F or less: the first O channels are
 * compared. Scaler, distribution and threshold are copied: what the session makes of them is its own.
 *
 * @return OK; ERR_INVALID_ARG, ERR_UNSUPPORTED (REFIT of a ROBUST scaler, which needs all samples at once) naming the
 *         option; ERR_SHAPE where O, scaler or distribution do not fit; ERR_STATE for a threshold or distribution that
 *         is not fitted; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_session_create(lstmae_session **out, lstmae_frozen *frozen,
                                               const lstmae_session_options *options);

/** NULL is fine. */
LSTMAE_API void lstmae_session_destroy(lstmae_session *session);

#define LSTMAE_PUSH_SCORED 1u    /**< this sample has a score */
#define LSTMAE_PUSH_ALARM 2u     /**< and it is above the threshold */
#define LSTMAE_PUSH_HELD 4u      /**< some value was not finite */
#define LSTMAE_PUSH_EVALUATED 8u /**< the model ran, which over windows it does not for every sample */

/** What a push found. Pointers are into the session, good until its next push, reset, restore or destruction. */
typedef struct lstmae_push_result {
    uint32_t struct_size;
    uint32_t flags;        /**< LSTMAE_PUSH_… */
    int64_t index;         /**< of the sample: 0 for the first */
    double score;          /**< averaged; the last one where this sample has none */
    double raw_score;
    double threshold;      /**< the next sample's */
    const float *error;    /**< [O] e as of the last score, of the newest sample it is about, or of that with the
                                largest; NULL: nothing is compared */
    const float *contribution; /**< [O] each channel's e^2 or |e|, or lstmae_gaussian_score_errors()'s; NULL likewise */
    const float *code;     /**< as of the last evaluation; NULL: none */
    const float *output;   /**< [O] likewise: what the model made of the newest sample; in the sample's own units unless
                                O > F; NULL: none */
    const float *forecast; /**< [forecast,F] likewise: the samples after it, in their own units; NULL: none */
} lstmae_push_result;

#define LSTMAE_PUSH_RESULT_INIT { sizeof(lstmae_push_result), 0, 0, 0.0, 0.0, 0.0, NULL, NULL, NULL, NULL, NULL }

/**
 * Takes the next sample.
 *
 * @param sample [F]
 * @param result filled (at most result->struct_size bytes); NULL: not wanted
 * @return OK; ERR_NUMERIC for a value that is not finite, without LSTMAE_SESSION_HOLD: the session is as before
 */
LSTMAE_API lstmae_status lstmae_session_push(lstmae_session *session, const float *sample, lstmae_push_result *result);

/** Changes `level` from the next sample on. ERR_STATE for a session with a threshold of its own. */
LSTMAE_API lstmae_status lstmae_session_set_level(lstmae_session *session, double level);

/** Back to no samples seen. What scaler and threshold have learned stays. */
LSTMAE_API lstmae_status lstmae_session_reset(lstmae_session *session);

/** Bytes of a saved state; the same for equal models and options. 0 for NULL. */
LSTMAE_API size_t lstmae_session_state_bytes(const lstmae_session *session);

/**
 * Writes the session's state, checksummed, to `memory`: a session restored from it goes on with the same bits. For
 * machines of the same byte order.
 *
 * @return OK; ERR_INVALID_ARG where `bytes` is less than lstmae_session_state_bytes()
 */
LSTMAE_API lstmae_status lstmae_session_save(const lstmae_session *session, void *memory, size_t bytes);

/**
 * Takes over a saved state of a session with an equal model and equal options (level and threads may differ), together
 * with what its scaler and threshold had learned.
 *
 * @return OK; ERR_FORMAT for what no session wrote, or was damaged; ERR_STATE for another model or other options. On
 *         failure the session is as before
 */
LSTMAE_API lstmae_status lstmae_session_restore(lstmae_session *session, const void *memory, size_t bytes);

LSTMAE_END_DECLS

#endif
