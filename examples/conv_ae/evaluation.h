/* How well a model does on the test images. */
#ifndef CA_EVALUATION_H
#define CA_EVALUATION_H

#include "model.h"

typedef struct ca_scores {
    double val_loss, test_loss;
    double mse, psnr, ssim;        /* of the test images' reconstructions, means per image; NaN for images too small */
    double reconstruction, kl;     /* parts of the test loss of a vae, nats per image */
    double noisy_psnr, clean_psnr; /* with noise: of the noisy test images, and of what is made of them */
} ca_scores;

int ca_evaluate(ca_scores *scores, ca_model *model, ca_data *data, const ca_settings *settings);

/** The result line. */
void ca_scores_print(const ca_scores *scores, const ca_settings *settings);

/** The command. */
int ca_eval_command(ca_data *data, ca_settings *settings);

#endif
