#include "model.h"

#include <string.h>

#include "../common/report.h"

static int model_decoder(mm_model *model, const mm_settings *s, int32_t target, int64_t steps, double weight)
{
    lstmae_decoder_options options = LSTMAE_DECODER_OPTIONS_INIT;
    options.flags = s->peepholes ? LSTMAE_LSTM_PEEPHOLE : 0;
    options.target = target;
    options.input = s->decoder_input;
    options.feedback = mm_settings_logits(s) ? LSTMAE_ACTIVATION_SIGMOID : LSTMAE_ACTIVATION_IDENTITY;
    options.steps = steps;
    options.dropout = s->dropout;
    options.forget_bias = s->forget_bias;
    options.truth = s->truth;
    options.weight = weight;
    return ex_status(lstmae_seq2seq_add_decoder(model->net, &options));
}

static int model_net(mm_model *model, lstmae_context *context, const mm_settings *s, int64_t features)
{
    lstmae_lstm_options encoder = LSTMAE_LSTM_OPTIONS_INIT;
    encoder.flags = s->peepholes ? LSTMAE_LSTM_PEEPHOLE : 0;
    encoder.layers = s->layers;
    encoder.dropout = s->dropout;
    encoder.forget_bias = s->forget_bias;
    EX_TRY(lstmae_seq2seq_create(&model->net, context, features, s->hidden, &encoder));
    if (model_decoder(model, s, LSTMAE_DECODE_REVERSED, 0, s->rec_weight) != 0) return -1;
    return model_decoder(model, s, LSTMAE_DECODE_FUTURE, s->frames_out, s->pred_weight);
}

static lstmae_optimizer_options model_optimizer(const mm_settings *s)
{
    static const lstmae_optimizer_options defaults[] = {LSTMAE_SGD_OPTIONS_INIT, LSTMAE_ADAM_OPTIONS_INIT,
                                                        LSTMAE_ADAMW_OPTIONS_INIT, LSTMAE_RMSPROP_OPTIONS_INIT,
                                                        LSTMAE_RMSPROP_TF1_OPTIONS_INIT};
    lstmae_optimizer_options options = defaults[s->optimizer];
    options.flags = LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY;
    options.lr = s->lr;
    options.momentum = s->momentum;
    options.weight_decay = s->decay;
    options.clip_norm = s->clip;
    options.clip_velocity = s->clip_velocity;
    return options;
}

static int model_schedule(mm_model *model, const mm_settings *s)
{
    lstmae_schedule_options options = LSTMAE_SCHEDULE_OPTIONS_INIT;
    options.kind = s->schedule;
    options.lr = s->lr;
    options.min_lr = s->min_lr;
    options.factor = s->lr_factor;
    options.period = s->lr_period;
    options.total = s->iterations;
    options.warmup = mm_settings_warmup(s);
    return ex_status(lstmae_schedule_create(&model->schedule, &options));
}

int mm_model_create(mm_model *model, lstmae_context *context, const mm_settings *s, int64_t features)
{
    memset(model, 0, sizeof *model);
    if (model_net(model, context, s, features) != 0) return -1;
    lstmae_loss_options loss = LSTMAE_LOSS_OPTIONS_INIT;
    loss.kind = s->loss;
    loss.reduction = s->reduction;
    EX_TRY(lstmae_loss_create(&model->loss, context, &loss));
    EX_TRY(lstmae_task_seq2seq(&model->task, model->net, model->loss));
    lstmae_optimizer_options optimizer = model_optimizer(s);
    EX_TRY(lstmae_optimizer_create(&model->optimizer, lstmae_seq2seq_module(model->net), &optimizer));
    return model_schedule(model, s);
}

void mm_model_destroy(mm_model *model)
{
    lstmae_schedule_destroy(model->schedule);
    lstmae_optimizer_destroy(model->optimizer);
    lstmae_task_destroy(model->task);
    lstmae_loss_destroy(model->loss);
    lstmae_seq2seq_destroy(model->net);
}
