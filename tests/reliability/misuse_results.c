/* Looking at results, called wrongly: measures. */
#include "misuse.h"

void misuse_measures(void **state)
{
    misuse_objects *o = *state;
    double mean;
    REFUSED(ERR_INVALID_ARG, measure_mse, NULL, o->x, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_mse, o->x, NULL, NULL, &mean);
    REFUSED(ERR_SHAPE, measure_mse, o->x, o->future, NULL, &mean);
    REFUSED(ERR_DTYPE, measure_mse, o->integers, o->integers, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_psnr, NULL, o->x, 1.0, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_psnr, o->x, NULL, 1.0, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_psnr, o->x, o->x, 0.0, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_ssim, NULL, o->x, 1.0, NULL, &mean);
    REFUSED(ERR_INVALID_ARG, measure_ssim, o->x, NULL, 1.0, NULL, &mean);
    REFUSED(ERR_SHAPE, measure_ssim, o->x, o->x, 1.0, NULL, &mean);
}
