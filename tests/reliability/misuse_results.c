/*
 * Looking at results, called wrongly: measures, principal components, neighbours, pictures, event files, projectors,
 * arrays.
 */
#include "faults.h"
#include "misuse.h"

#include <string.h>
#include <unistd.h>

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

void misuse_pca(void **state)
{
    misuse_objects *o = *state;
    lstmae_pca *pca = NULL;
    REFUSED(ERR_INVALID_ARG, pca_create, NULL, o->flat, 1);
    REFUSED(ERR_INVALID_ARG, pca_create, &pca, NULL, 1);
    REFUSED(ERR_INVALID_ARG, pca_create, &pca, o->flat, 0);
    REFUSED(ERR_SHAPE, pca_create, &pca, o->x, 1);
    assert_null(pca);
    ACCEPTS_NULL(pca_destroy);
    GIVES(0, pca_count, NULL);
    GIVES(0, pca_width, NULL);
    GIVES(NULL, pca_components, NULL);
    GIVES(NULL, pca_mean, NULL);
    GIVES(NULL, pca_variance, NULL);
    GIVES(0.0, pca_total_variance, NULL);
    assert_ok(lstmae_pca_create(&pca, o->flat, 4));
    REFUSED(ERR_INVALID_ARG, pca_transform, NULL, o->flat, o->flat);
    REFUSED(ERR_INVALID_ARG, pca_transform, pca, NULL, o->flat);
    REFUSED(ERR_INVALID_ARG, pca_transform, pca, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, pca_inverse, NULL, o->flat, o->flat);
    REFUSED(ERR_INVALID_ARG, pca_inverse, pca, NULL, o->flat);
    REFUSED(ERR_SHAPE, pca_inverse, pca, o->flat, o->x);
    lstmae_pca_destroy(pca);
}

void misuse_neighbors(void **state)
{
    misuse_objects *o = *state;
    lstmae_neighbors *neighbors = NULL;
    int64_t indices[4];
    REFUSED(ERR_INVALID_ARG, neighbors_create, NULL, o->flat, LSTMAE_METRIC_COSINE);
    REFUSED(ERR_INVALID_ARG, neighbors_create, &neighbors, NULL, LSTMAE_METRIC_COSINE);
    REFUSED(ERR_INVALID_ARG, neighbors_create, &neighbors, o->flat, (lstmae_metric)2);
    REFUSED(ERR_SHAPE, neighbors_create, &neighbors, o->x, LSTMAE_METRIC_COSINE);
    assert_null(neighbors);
    ACCEPTS_NULL(neighbors_destroy);
    assert_ok(lstmae_neighbors_create(&neighbors, o->flat, LSTMAE_METRIC_EUCLIDEAN));
    REFUSED(ERR_INVALID_ARG, neighbors_find, NULL, o->flat, 1, indices, NULL);
    REFUSED(ERR_INVALID_ARG, neighbors_find, neighbors, NULL, 1, indices, NULL);
    REFUSED(ERR_INVALID_ARG, neighbors_find, neighbors, o->flat, 1, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, neighbors_find, neighbors, o->flat, 3, indices, NULL);
    REFUSED(ERR_INVALID_ARG, neighbors_find, neighbors, o->foreign, 1, indices, NULL);
    REFUSED(ERR_SHAPE, neighbors_find, neighbors, o->x, 1, indices, NULL);
    lstmae_neighbors_destroy(neighbors);
}

void misuse_pictures(void **state)
{
    misuse_objects *o = *state;
    const uint8_t pixels[3] = { 1, 2, 3 };
    REFUSES_SIZES(lstmae_grid_options, LSTMAE_GRID_OPTIONS_INIT, lstmae_grid_save("x", o->flat, options));
    REFUSED(ERR_INVALID_ARG, grid_save, NULL, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, grid_save, "x", NULL, NULL);
    REFUSED(ERR_DTYPE, grid_save, "x", o->integers, NULL);
    REFUSED(ERR_NOT_FOUND, grid_save, "/nonexistent/dir/x.png", o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, png_save, NULL, pixels, 1, 1, 3);
    REFUSED(ERR_INVALID_ARG, png_save, "x", NULL, 1, 1, 3);
    REFUSED(ERR_INVALID_ARG, png_save, "x", pixels, 1, 1, 2);
    REFUSED(ERR_SHAPE, png_save, "x", pixels, -1, 1, 3);
    REFUSED(ERR_NOT_FOUND, png_save, "/nonexistent/dir/x.png", pixels, 1, 1, 3);
}

void misuse_events(void **state)
{
    misuse_objects *o = *state;
    lstmae_events *events = NULL;
    char folder[256];
    strcpy(folder, test_path("events"));
    REFUSES_SIZES(lstmae_events_options, LSTMAE_EVENTS_OPTIONS_INIT,
                  lstmae_events_create(&events, o->context, folder, options));
    REFUSED(ERR_INVALID_ARG, events_create, NULL, o->context, folder, NULL);
    REFUSED(ERR_INVALID_ARG, events_create, &events, NULL, folder, NULL);
    REFUSED(ERR_INVALID_ARG, events_create, &events, o->context, NULL, NULL);
    REFUSED(ERR_INVALID_ARG, events_create, &events, o->context, "", NULL);
    assert_null(events);
    ACCEPTS_NULL(events_destroy);
    misuse_cover("events_path"), assert_string_equal(lstmae_events_path(NULL), "");
    REFUSED(ERR_INVALID_ARG, events_flush, NULL);
    assert_ok(lstmae_events_create(&events, o->context, folder, NULL));
    REFUSED(ERR_INVALID_ARG, events_scalar, NULL, "tag", 0, 1.0);
    REFUSED(ERR_INVALID_ARG, events_scalar, events, NULL, 0, 1.0);
    REFUSED(ERR_INVALID_ARG, events_scalar, events, "\xc3", 0, 1.0);
    REFUSED(ERR_INVALID_ARG, events_image, NULL, "tag", 0, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, events_image, events, NULL, 0, o->flat, NULL);
    REFUSED(ERR_INVALID_ARG, events_image, events, "tag", 0, NULL, NULL);
    REFUSED(ERR_DTYPE, events_image, events, "tag", 0, o->integers, NULL);
    REFUSED(ERR_INVALID_ARG, events_histogram, NULL, "tag", 0, o->x);
    REFUSED(ERR_INVALID_ARG, events_histogram, events, NULL, 0, o->x);
    REFUSED(ERR_INVALID_ARG, events_histogram, events, "tag", 0, NULL);
    REFUSED(ERR_DTYPE, events_histogram, events, "tag", 0, o->integers);
    assert_int_equal(unlink(lstmae_events_path(events)), 0);
    lstmae_events_destroy(events);
    assert_int_equal(rmdir(folder), 0);
}

void misuse_projector(void **state)
{
    misuse_objects *o = *state;
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    REFUSES_SIZES(lstmae_projector, LSTMAE_PROJECTOR_INIT, lstmae_projector_save("x", options));
    REFUSED(ERR_INVALID_ARG, projector_save, "x", NULL);
    REFUSED(ERR_INVALID_ARG, projector_save, "x", &content);
    content.vectors = o->x;
    REFUSED(ERR_SHAPE, projector_save, "x", &content);
    content.vectors = o->flat;
    REFUSED(ERR_INVALID_ARG, projector_save, NULL, &content);
    REFUSED(ERR_INVALID_ARG, projector_save, "", &content);
    content.images = o->x;
    REFUSED(ERR_SHAPE, projector_save, "x", &content);
    content.images = NULL;
    content.flags = 1;
    REFUSED(ERR_INVALID_ARG, projector_save, "x", &content);
}

void misuse_npy(void **state)
{
    misuse_objects *o = *state;
    REFUSED(ERR_INVALID_ARG, npy_save, NULL, o->flat);
    REFUSED(ERR_INVALID_ARG, npy_save, "x", NULL);
    REFUSED(ERR_NOT_FOUND, npy_save, "/nonexistent/dir/x.npy", o->flat);
}
