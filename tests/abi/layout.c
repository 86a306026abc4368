/*
 * Layout of every public struct on 64-bit machines: a program built against older headers passes structs of these
 * sizes. A struct may grow at its end (change the row, keep the members before); anything else breaks such programs.
 */
#include <lstmae/backend.h>
#include <lstmae/lstmae.h>

#include <stdio.h>

/* X(struct, size, last member, its offset) */
#define PUBLIC_STRUCTS(X)                                                                          \
    X(lstmae_context_options, 64, reserved, 60)                                                       \
    X(lstmae_memory_info, 32, allocations, 24)                                                     \
    X(lstmae_device_info, 144, description, 48)                                                    \
    X(lstmae_lstm_options, 32, forget_bias, 24)                                                    \
    X(lstmae_conv_options, 96, groups, 88)                                                         \
    X(lstmae_batch_norm_options, 24, momentum, 16)                                                 \
    X(lstmae_layer_norm_options, 16, eps, 8)                                                       \
    X(lstmae_pool_options, 72, dilation, 56)                                                       \
    X(lstmae_upsample_options, 40, size, 24)                                                       \
    X(lstmae_decoder_options, 72, weight, 64)                                                      \
    X(lstmae_loss_options, 24, delta, 16)                                                          \
    X(lstmae_optimizer_options, 96, clip_velocity, 88)                                             \
    X(lstmae_schedule_options, 72, threshold, 64)                                                  \
    X(lstmae_file_options, 24, scale, 16)                                                          \
    X(lstmae_moving_options, 48, seed, 40)                                                         \
    X(lstmae_events_options, 16, flush_seconds, 8)                                                 \
    X(lstmae_projector, 56, high, 48)                                                              \
    X(lstmae_grid_options, 32, high, 24)                                                           \
    X(lstmae_loader_options, 40, seed, 32)                                                         \
    X(lstmae_batch, 40, index, 32)                                                                 \
    X(lstmae_objective, 40, update, 32)                                                            \
    X(lstmae_noise_options, 32, high, 24)                                                          \
    X(lstmae_latent_options, 40, warmup, 32)                                                       \
    X(lstmae_code_options, 16, size, 8)                                                            \
    X(lstmae_autoencoder_options, 24, latent, 16)                                                  \
    X(lstmae_pretrain_options, 56, payload, 48)                                                    \
    X(lstmae_fit_event, 72, seconds, 64)                                                           \
    X(lstmae_fit_options, 104, payload, 96)                                                        \
    X(lstmae_checkpoint_array, 24, count, 16)                                                      \
    X(lstmae_checkpoint, 72, array_count, 64)                                                       \
    X(lstmae_table_options, 64, skip_lines, 56)                                                    \
    X(lstmae_scaler_options, 40, memory, 32)                                                       \
    X(lstmae_windows_options, 32, scaler, 24)                                                      \
    X(lstmae_gaussian_options, 24, memory, 16)                                                     \
    X(lstmae_points_options, 40, channels, 32)                                                     \
    X(lstmae_ewma, 32, weight, 24)                                                                 \
    X(lstmae_threshold_options, 96, memory, 88)                                                    \
    X(lstmae_f1, 24, f1, 16)                                                                       \
    X(lstmae_detection, 184, mean_delay, 176)                                                      \
    X(lstmae_ranking, 40, best_threshold, 32)                                                      \
    X(lstmae_rows, 24, count, 16)                                                                  \
    X(lstmae_frozen_options, 32, reserved, 28)                                                     \
    X(lstmae_frozen_info, 56, bytes, 48)                                                           \
    X(lstmae_session_options, 72, threshold, 64)                                                       \
    X(lstmae_push_result, 80, forecast, 72)                                                          \
    X(lstmae_host, 24, log, 16)                                                                    \
    X(lstmae_memory, 40, discharge, 32)                                                              \
    X(lstmae_queue_options, 72, reserved, 68)                                                      \
    X(lstmae_view, 80, dtype, 76)                                                                  \
    X(lstmae_random_key, 24, first, 16)                                                            \
    X(lstmae_gemm_args, 112, reserved, 108)                                                        \
    X(lstmae_lstm_args, 296, beta, 288)                                                            \
    X(lstmae_loop_layer, 96, dc, 88)                                                               \
    X(lstmae_loop_decoder, 32, dy, 24)                                                             \
    X(lstmae_loop_args, 96, weights, 88)                                                           \
    X(lstmae_conv_args, 304, beta, 296)                                                            \
    X(lstmae_pool_args, 248, index, 240)                                                           \
    X(lstmae_norm_args, 440, tracked, 432)                                                            \
    X(lstmae_upsample_args, 176, y, 96)                                                            \
    X(lstmae_loss_args, 216, value, 208)                                                           \
    X(lstmae_update_tensor, 56, weight_decay, 48)                                                  \
    X(lstmae_update_args, 144, guard_count, 136)                                                   \
    X(lstmae_step_values, 32, bias2, 24)                                                           \
    X(lstmae_backend_api, 480, lane, 472)

/* X(struct, macro) */
#define INITIALISERS(X)                                                                            \
    X(lstmae_context_options, LSTMAE_CONTEXT_OPTIONS_INIT)                                         \
    X(lstmae_memory_info, LSTMAE_MEMORY_INFO_INIT)                                                 \
    X(lstmae_device_info, LSTMAE_DEVICE_INFO_INIT)                                                 \
    X(lstmae_lstm_options, LSTMAE_LSTM_OPTIONS_INIT)                                               \
    X(lstmae_conv_options, LSTMAE_CONV_OPTIONS_INIT)                                               \
    X(lstmae_batch_norm_options, LSTMAE_BATCH_NORM_OPTIONS_INIT)                                   \
    X(lstmae_layer_norm_options, LSTMAE_LAYER_NORM_OPTIONS_INIT)                                   \
    X(lstmae_pool_options, LSTMAE_POOL_OPTIONS_INIT)                                               \
    X(lstmae_upsample_options, LSTMAE_UPSAMPLE_OPTIONS_INIT)                                       \
    X(lstmae_decoder_options, LSTMAE_DECODER_OPTIONS_INIT)                                         \
    X(lstmae_loss_options, LSTMAE_LOSS_OPTIONS_INIT)                                               \
    X(lstmae_optimizer_options, LSTMAE_SGD_OPTIONS_INIT)                                           \
    X(lstmae_optimizer_options, LSTMAE_ADAM_OPTIONS_INIT)                                          \
    X(lstmae_optimizer_options, LSTMAE_ADAMW_OPTIONS_INIT)                                         \
    X(lstmae_optimizer_options, LSTMAE_RMSPROP_OPTIONS_INIT)                                       \
    X(lstmae_optimizer_options, LSTMAE_RMSPROP_TF1_OPTIONS_INIT)                                   \
    X(lstmae_schedule_options, LSTMAE_SCHEDULE_OPTIONS_INIT)                                       \
    X(lstmae_file_options, LSTMAE_FILE_OPTIONS_INIT)                                               \
    X(lstmae_moving_options, LSTMAE_MOVING_OPTIONS_INIT)                                           \
    X(lstmae_loader_options, LSTMAE_LOADER_OPTIONS_INIT)                                           \
    X(lstmae_events_options, LSTMAE_EVENTS_OPTIONS_INIT)                                           \
    X(lstmae_projector, LSTMAE_PROJECTOR_INIT)                                                     \
    X(lstmae_grid_options, LSTMAE_GRID_OPTIONS_INIT)                                               \
    X(lstmae_batch, LSTMAE_BATCH_INIT)                                                             \
    X(lstmae_objective, LSTMAE_OBJECTIVE_INIT)                                                     \
    X(lstmae_scaler_options, LSTMAE_SCALER_OPTIONS_INIT)                                           \
    X(lstmae_windows_options, LSTMAE_WINDOWS_OPTIONS_INIT)                                         \
    X(lstmae_gaussian_options, LSTMAE_GAUSSIAN_OPTIONS_INIT)                                       \
    X(lstmae_points_options, LSTMAE_POINTS_OPTIONS_INIT)                                           \
    X(lstmae_ewma, LSTMAE_EWMA_INIT)                                                               \
    X(lstmae_threshold_options, LSTMAE_THRESHOLD_QUANTILE_INIT)                                    \
    X(lstmae_threshold_options, LSTMAE_THRESHOLD_SIGMA_INIT)                                       \
    X(lstmae_threshold_options, LSTMAE_THRESHOLD_SPOT_INIT)                                        \
    X(lstmae_threshold_options, LSTMAE_THRESHOLD_DYNAMIC_INIT)                                     \
    X(lstmae_detection, LSTMAE_DETECTION_INIT)                                                     \
    X(lstmae_ranking, LSTMAE_RANKING_INIT)                                                         \
    X(lstmae_table_options, LSTMAE_TABLE_OPTIONS_INIT)                                             \
    X(lstmae_noise_options, LSTMAE_NOISE_OPTIONS_INIT)                                             \
    X(lstmae_latent_options, LSTMAE_LATENT_OPTIONS_INIT)                                           \
    X(lstmae_code_options, LSTMAE_CODE_OPTIONS_INIT)                                               \
    X(lstmae_autoencoder_options, LSTMAE_AUTOENCODER_OPTIONS_INIT)                                 \
    X(lstmae_pretrain_options, LSTMAE_PRETRAIN_OPTIONS_INIT)                                       \
    X(lstmae_fit_options, LSTMAE_FIT_OPTIONS_INIT)                                                 \
    X(lstmae_frozen_options, LSTMAE_FROZEN_OPTIONS_INIT)                                           \
    X(lstmae_frozen_info, LSTMAE_FROZEN_INFO_INIT)                                                 \
    X(lstmae_session_options, LSTMAE_SESSION_OPTIONS_INIT)                                         \
    X(lstmae_push_result, LSTMAE_PUSH_RESULT_INIT)                                                 \
    X(lstmae_checkpoint, LSTMAE_CHECKPOINT_INIT)

static int failed;

static void layout_expect(const char *what, size_t got, size_t want)
{
    if (got == want) return;
    printf("%s: %zu, was %zu\n", what, got, want);
    failed = 1;
}

#define CHECK_LAYOUT(type, size, last, offset)                                                     \
    layout_expect("size of " #type, sizeof(type), size);                                           \
    layout_expect("offset of " #type "." #last, offsetof(type, last), offset);                     \
    layout_expect("end of " #type, offsetof(type, last) + sizeof(((type *)0)->last), size);

#define CHECK_INITIALISER(type, macro)                                                             \
    {                                                                                              \
        type options = macro;                                                                      \
        layout_expect("struct_size in " #macro, options.struct_size, sizeof(type));                \
        layout_expect("offset of struct_size in " #type, offsetof(type, struct_size), 0);          \
    }

int main(void)
{
    if (sizeof(void *) != 8 || sizeof(long) != 8) return 77;
    PUBLIC_STRUCTS(CHECK_LAYOUT)
    INITIALISERS(CHECK_INITIALISER)
    return failed;
}
