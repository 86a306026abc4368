#include "evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/progress.h"
#include "../common/report.h"

/* Means over the images of a data set, weighted by batches. */
typedef struct means {
    double mse, psnr, ssim, noisy_psnr, clean_psnr, images;
} means;

static int means_add(means *m, const ca_data *data, const lstmae_tensor *x, const lstmae_tensor *y, double count)
{
    const double range = data->high - data->low;
    double mse, psnr, ssim = NAN;
    EX_TRY(lstmae_measure_mse(y, x, NULL, &mse));
    EX_TRY(lstmae_measure_psnr(y, x, range, NULL, &psnr));
    if (data->dims[1] >= LSTMAE_SSIM_WINDOW && data->dims[2] >= LSTMAE_SSIM_WINDOW)
        EX_TRY(lstmae_measure_ssim(y, x, range, NULL, &ssim));
    m->mse += mse * count;
    m->psnr += psnr * count;
    m->ssim += ssim * count;
    m->images += count;
    return 0;
}

/* The images with noise on them: how far they are from the clean ones, and how far what is made of them. */
static int means_add_noisy(means *m, ca_model *model, lstmae_module *noise, const ca_data *data,
                           const lstmae_tensor *x, double count)
{
    const double range = data->high - data->low;
    const lstmae_tensor *noisy = NULL, *y = NULL;
    double before, after;
    EX_TRY(lstmae_module_forward(noise, x, &noisy));
    EX_TRY(lstmae_measure_psnr(noisy, x, range, NULL, &before));
    EX_TRY(lstmae_autoencoder_reconstruct(model->net, noisy, &y));
    EX_TRY(lstmae_measure_psnr(y, x, range, NULL, &after));
    m->noisy_psnr += before * count;
    m->clean_psnr += after * count;
    return 0;
}

static int evaluation_images(means *m, ca_model *model, lstmae_module *noise, const ca_data *data,
                             lstmae_loader *loader)
{
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    const lstmae_tensor *y = NULL;
    lstmae_status status;
    while ((status = lstmae_loader_next(loader, &batch)) == 1) {
        EX_TRY(lstmae_autoencoder_reconstruct(model->net, batch.x, &y));
        if (means_add(m, data, batch.x, y, (double)batch.count) != 0) return -1;
        if (noise != NULL && means_add_noisy(m, model, noise, data, batch.x, (double)batch.count) != 0) return -1;
    }
    return ex_status(status);
}

static int evaluation_noise(lstmae_module **out, const ca_data *data, const ca_settings *s)
{
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    options.kind = s->noise - 1;
    options.amount = s->noise_amount;
    options.low = data->low;
    return ex_status(lstmae_noise_create(out, data->context, &options));
}

/* The mean objective over a data set, and its parts. */
static int evaluation_loss(double *loss, double *reconstruction, double *kl, ca_model *model, const ca_data *data,
                           lstmae_dataset *dataset, const ca_settings *s)
{
    lstmae_loader *loader = NULL;
    int result = ca_data_loader(&loader, data, dataset, s, 0);
    if (result == 0)
        result = ex_status(lstmae_autoencoder_evaluate(model->net, model->loss, loader, 0, reconstruction, kl));
    if (result == 0) *loss = *reconstruction + (s->model == CA_VAE ? s->beta * *kl : 0.0);
    lstmae_loader_destroy(loader);
    return result;
}

int ca_evaluate(ca_scores *scores, ca_model *model, ca_data *data, const ca_settings *s)
{
    means m = {0, 0, 0, 0, 0, 0};
    lstmae_loader *loader = NULL;
    lstmae_module *noise = NULL;
    double parts[2];
    memset(scores, 0, sizeof *scores);
    int result = evaluation_loss(&scores->val_loss, &parts[0], &parts[1], model, data, data->validation, s);
    if (result == 0)
        result = evaluation_loss(&scores->test_loss, &scores->reconstruction, &scores->kl, model, data, data->test, s);
    if (result == 0) result = ca_data_loader(&loader, data, data->test, s, 0);
    if (result == 0 && s->noise > 0) result = evaluation_noise(&noise, data, s);
    if (result == 0) result = evaluation_images(&m, model, noise, data, loader);
    scores->mse = m.mse / m.images;
    scores->psnr = m.psnr / m.images;
    scores->ssim = m.ssim / m.images;
    scores->noisy_psnr = m.noisy_psnr / m.images;
    scores->clean_psnr = m.clean_psnr / m.images;
    lstmae_module_destroy(noise);
    lstmae_loader_destroy(loader);
    return result;
}

void ca_scores_print(const ca_scores *r, const ca_settings *s)
{
    char dataset[32], model[32];
    ex_word(CA_DATASETS, s->dataset, dataset, sizeof dataset);
    ex_word(CA_MODELS, s->model, model, sizeof model);
    printf("result: dataset=%s model=%s latent=%lld epochs=%lld seconds=%.1f val_loss=%.6g test_loss=%.6g psnr=%.4f "
           "ssim=%.5f",
           dataset, model, (long long)s->latent, (long long)s->epochs, s->done.elapsed, r->val_loss, r->test_loss,
           r->psnr, r->ssim);
    if (s->model == CA_VAE)
        printf(" elbo=%.4f reconstruction=%.4f kl=%.4f", -(r->reconstruction + r->kl), r->reconstruction, r->kl);
    if (s->noise > 0) printf(" noisy_psnr=%.4f denoised_psnr=%.4f", r->noisy_psnr, r->clean_psnr);
    putchar('\n');
}

int ca_eval_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    ca_scores scores;
    int result = ca_model_open(&model, data, s);
    if (result == 0) {
        printf("data: %s\n", data->text);
        s->done.elapsed = -ex_seconds();
        result = ca_evaluate(&scores, &model, data, s);
        s->done.elapsed += ex_seconds();
    }
    if (result == 0) ca_scores_print(&scores, s);
    ca_model_destroy(&model);
    return result;
}
