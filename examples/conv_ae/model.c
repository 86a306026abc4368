#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"
#include "networks.h"

/* Summed over an image, mean over the batch, as the tutorial has it, and as the evidence lower bound wants it. */
static int model_loss(lstmae_loss **out, lstmae_context *context, const ca_settings *s)
{
    lstmae_loss_options options = LSTMAE_LOSS_OPTIONS_INIT;
    options.kind = ca_network_logits(s) ? LSTMAE_LOSS_BCE_LOGITS : LSTMAE_LOSS_MSE;
    options.reduction = LSTMAE_REDUCTION_BATCH_MEAN;
    options.batch_axis = 0;
    return ex_status(lstmae_loss_create(out, context, &options));
}

int ca_model_create(ca_model *model, const ca_data *data, const ca_settings *s)
{
    memset(model, 0, sizeof *model);
    if (ca_network_create(&model->net, data->context, s, data->dims) != 0) return -1;
    model->module = lstmae_autoencoder_module(model->net);
    return model_loss(&model->loss, data->context, s);
}

void ca_model_destroy(ca_model *model)
{
    lstmae_loss_destroy(model->loss);
    lstmae_autoencoder_destroy(model->net);
}

int ca_model_open(ca_model *model, const ca_data *data, const ca_settings *s)
{
    char path[EX_PATH_SIZE];
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    if (ca_model_create(model, data, s) != 0) return -1;
    if (ex_path(path, sizeof path, s->out, CA_MODEL_FILE) != 0) return -1;
    content.module = model->module;
    return ex_status(lstmae_checkpoint_load(s->from[0] != '\0' ? s->from : path, &content));
}

int ca_model_save(ca_model *model, ca_settings *s)
{
    char path[EX_PATH_SIZE];
    ca_settings kept = *s;
    kept.done.elapsed = 0; /* so that the same training gives the same file */
    char *text = ca_settings_text(&kept);
    int result = text != NULL ? ex_path(path, sizeof path, s->out, CA_MODEL_FILE) : ex_fail("out of memory");
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = model->module;
    content.config = text;
    if (result == 0) result = ex_status(lstmae_checkpoint_save(path, &content));
    if (result == 0) printf("wrote %s\n", path);
    free(text);
    return result;
}

/* ---- codes ---- */

/* A batch's codes to the rows of `codes` from *row on, which is moved; `codes` is made for the first one. */
static int codes_batch(lstmae_tensor **codes, ca_model *model, const lstmae_tensor *x, int64_t count, int64_t *row)
{
    const lstmae_tensor *code = NULL;
    lstmae_tensor *part = NULL;
    EX_TRY(lstmae_autoencoder_encode(model->net, x, &code));
    const int64_t rows = lstmae_tensor_dim(code, 0), width = lstmae_tensor_numel(code) / rows;
    const int64_t used = *row + rows > count ? count - *row : rows, all[2] = {count, width};
    if (*codes == NULL) EX_TRY(lstmae_tensor_create(codes, lstmae_tensor_context(code), LSTMAE_F32, 2, all));
    float *host = malloc((size_t)(rows * width) * sizeof *host);
    int result = host != NULL ? 0 : ex_fail("out of memory for codes");
    if (result == 0) result = ex_status(lstmae_tensor_read(code, host, (size_t)(rows * width) * sizeof *host));
    if (result == 0) result = ex_status(lstmae_tensor_slice(&part, *codes, 0, *row, used));
    if (result == 0) result = ex_status(lstmae_tensor_write(part, host, (size_t)(used * width) * sizeof *host));
    lstmae_tensor_destroy(part);
    free(host);
    *row += used;
    return result;
}

int ca_model_codes(lstmae_tensor **out, ca_model *model, const ca_data *data, lstmae_dataset *dataset,
                   const ca_settings *s, int64_t count)
{
    lstmae_loader *loader = NULL;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    int64_t row = 0, available = lstmae_dataset_count(dataset);
    if (count > available) count = available;
    *out = NULL;
    int result = ca_data_loader(&loader, data, dataset, s, 0), got = 1;
    while (result == 0 && row < count && (got = lstmae_loader_next(loader, &batch)) == 1)
        result = codes_batch(out, model, batch.x, count, &row);
    if (result == 0 && got < 0) result = ex_status(got);
    lstmae_loader_destroy(loader);
    return result;
}
