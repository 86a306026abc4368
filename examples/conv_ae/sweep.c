#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/files.h"
#include "../common/plot.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "evaluation.h"
#include "training.h"

typedef struct sweep {
    int64_t latents[CA_SWEEP_MOST];
    ca_scores scores[CA_SWEEP_MOST];
    double seconds[CA_SWEEP_MOST];
    int count;
} sweep;

/* Whether a file of an earlier sweep has these settings: all but how far its training was; `kept` are those it has. */
static int sweep_matches(ca_settings *kept, const ca_settings *wanted, const char *path)
{
    struct stat info;
    ca_settings expected = *wanted;
    *kept = *wanted;
    if (stat(path, &info) != 0 || ca_settings_load(kept, path) != 0) return 0;
    expected.done = kept->done;
    char *a = ca_settings_text(kept), *b = ca_settings_text(&expected);
    int same = a != NULL && b != NULL && strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

static int sweep_done(const ca_settings *wanted)
{
    char path[EX_PATH_SIZE];
    ca_settings kept;
    return ex_path(path, sizeof path, wanted->out, CA_MODEL_FILE) == 0 && sweep_matches(&kept, wanted, path);
}

/* A training that was stopped goes on from its checkpoint. */
static void sweep_find_checkpoint(ca_settings *s)
{
    char path[EX_PATH_SIZE];
    ca_settings kept;
    if (ex_path(path, sizeof path, s->out, CA_CHECKPOINT_FILE) != 0 || !sweep_matches(&kept, s, path)) return;
    *s = kept;
    snprintf(s->resume, sizeof s->resume, "%.*s", EX_TEXT_SIZE - 1, path);
}

/* One size: trained in a folder of its own, or taken from there, and measured. */
static int sweep_one(sweep *w, int i, ca_data *data, const ca_settings *all)
{
    static ca_settings s;
    ca_model model;
    s = *all;
    s.latent = w->latents[i];
    if (snprintf(s.out, sizeof s.out, "%.900s/latent_%lld", all->out, (long long)s.latent) < 0) return -1;
    printf("\nlatent %lld\n", (long long)s.latent);
    const int done = sweep_done(&s);
    if (!done) sweep_find_checkpoint(&s);
    int result = done ? ca_model_open(&model, data, &s) : ca_model_create(&model, data, &s);
    if (result == 0 && done) printf("already trained\n");
    if (result == 0 && !done) result = ca_train(&model, data, &s);
    if (result == 0 && !done) result = ca_model_save(&model, &s);
    if (result == 0) result = ca_evaluate(&w->scores[i], &model, data, &s);
    w->seconds[i] = s.done.elapsed;
    ca_model_destroy(&model);
    return result;
}

static int sweep_csv(const sweep *w, const ca_settings *s)
{
    char path[EX_PATH_SIZE];
    ex_file file;
    if (ex_path(path, sizeof path, s->out, "sweep.csv") != 0 || ex_file_open(&file, path) != 0) return -1;
    fprintf(file.stream, "latent,val_loss,test_loss,mse,psnr,ssim,seconds\n");
    for (int i = 0; i < w->count; i++) {
        const ca_scores *r = &w->scores[i];
        fprintf(file.stream, "%lld,%.9g,%.9g,%.9g,%.9g,%.9g,%.3f\n", (long long)w->latents[i], r->val_loss,
                r->test_loss, r->mse, r->psnr, r->ssim, w->seconds[i]);
    }
    if (ex_file_commit(&file) != 0) return -1;
    printf("wrote %s\n", path);
    return 0;
}

static int sweep_plot(const sweep *w, const ca_settings *s)
{
    char stem[EX_PATH_SIZE];
    double x[CA_SWEEP_MOST], y[CA_SWEEP_MOST];
    for (int i = 0; i < w->count; i++) {
        x[i] = (double)w->latents[i];
        y[i] = w->scores[i].test_loss;
    }
    const ex_series series = {"test", x, y, (size_t)w->count, ex_plot_color(0), 2};
    const ex_plot plot = {"Loss by size of the code", "numbers in a code", "test loss per image", 1, &series, 1};
    if (ex_path(stem, sizeof stem, s->out, "sweep") != 0 || ex_plot_save(&plot, 800, 480, stem) != 0) return -1;
    printf("wrote %s" EX_PICTURE_EXTENSION "\n", stem);
    return 0;
}

static void sweep_print(const sweep *w, const ca_settings *s)
{
    char dataset[32], model[32];
    int best = 0;
    double seconds = 0;
    printf("\n%8s%14s%14s%10s%10s%10s\n", "latent", "validation", "test", "PSNR", "SSIM", "seconds");
    for (int i = 0; i < w->count; i++) {
        const ca_scores *r = &w->scores[i];
        printf("%8lld%14.4f%14.4f%10.3f%10.4f%10.1f\n", (long long)w->latents[i], r->val_loss, r->test_loss, r->psnr,
               r->ssim, w->seconds[i]);
        if (r->test_loss < w->scores[best].test_loss) best = i;
        seconds += w->seconds[i];
    }
    ex_word(CA_DATASETS, s->dataset, dataset, sizeof dataset);
    ex_word(CA_MODELS, s->model, model, sizeof model);
    printf("result: dataset=%s model=%s latents=%s epochs=%lld seconds=%.1f best_latent=%lld best_test_loss=%.6g\n",
           dataset, model, s->latents, (long long)s->epochs, seconds, (long long)w->latents[best],
           w->scores[best].test_loss);
}

int ca_sweep_command(ca_data *data, ca_settings *s)
{
    static sweep w;
    w.count = ca_settings_latents(s, w.latents);
    if (w.count < 0 || ex_folder(s->out) != 0) return -1;
    printf("data: %s\n", data->text);
    int result = 0;
    for (int i = 0; result == 0 && i < w.count; i++) result = sweep_one(&w, i, data, s);
    ex_signals_release();
    if (result > 0) printf("or with the same sweep, which keeps what is trained\n");
    if (result == 0) result = sweep_csv(&w, s);
    if (result == 0) result = sweep_plot(&w, s);
    if (result == 0) sweep_print(&w, s);
    return result;
}
