/* Data sets of images, their labels, and data sets made from others, called wrongly. */
#include "misuse.h"

void misuse_images(void **state)
{
    misuse_objects *o = *state;
    lstmae_dataset *out = NULL, *second = NULL;
    const char *const paths[2] = { "/nonexistent/file", NULL };
    const int64_t dims[1] = { 6 };
    int64_t label = 0;
    double mean[3] = { 0 }, deviation[3] = { 1, 1, 1 };
    REFUSED(ERR_INVALID_ARG, dataset_cifar10, NULL, o->context, "x", LSTMAE_CIFAR10_TRAIN);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10, &out, NULL, "x", LSTMAE_CIFAR10_TRAIN);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10, &out, o->context, NULL, LSTMAE_CIFAR10_TRAIN);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10, &out, o->context, "x", 2);
    REFUSED(ERR_NOT_FOUND, dataset_cifar10, &out, o->context, "/nonexistent", LSTMAE_CIFAR10_TEST);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10_files, NULL, o->context, paths, 1);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10_files, &out, NULL, paths, 1);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10_files, &out, o->context, NULL, 1);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10_files, &out, o->context, paths, 0);
    REFUSED(ERR_INVALID_ARG, dataset_cifar10_files, &out, o->context, paths, 2);
    REFUSED(ERR_NOT_FOUND, dataset_cifar10_files, &out, o->context, paths, 1);
    REFUSED(ERR_INVALID_ARG, dataset_shapes, NULL, o->context, 1, 1, 8, 0);
    REFUSED(ERR_INVALID_ARG, dataset_shapes, &out, NULL, 1, 1, 8, 0);
    REFUSED(ERR_INVALID_ARG, dataset_shapes, &out, o->context, 1, 2, 8, 0);
    GIVES(0, dataset_labelled, NULL);
    GIVES(0, dataset_labelled, o->dataset);
    REFUSED(ERR_INVALID_ARG, dataset_label, NULL, 0, &label);
    REFUSED(ERR_INVALID_ARG, dataset_label, o->dataset, 0, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_label, o->dataset, 99, &label);
    REFUSED(ERR_STATE, dataset_label, o->dataset, 0, &label);
    REFUSED(ERR_INVALID_ARG, dataset_split, NULL, &second, o->dataset, 1, 0);
    REFUSED(ERR_INVALID_ARG, dataset_split, &out, NULL, o->dataset, 1, 0);
    REFUSED(ERR_INVALID_ARG, dataset_split, &out, &second, NULL, 1, 0);
    REFUSED(ERR_INVALID_ARG, dataset_split, &out, &second, o->dataset, INT64_MAX, 0);
    REFUSED(ERR_INVALID_ARG, dataset_reshape, NULL, o->dataset, 1, dims);
    REFUSED(ERR_INVALID_ARG, dataset_reshape, &out, NULL, 1, dims);
    REFUSED(ERR_INVALID_ARG, dataset_reshape, &out, o->dataset, 1, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_reshape, &out, o->dataset, -1, dims);
    REFUSED(ERR_SHAPE, dataset_reshape, &out, o->dataset, 0, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_with_labels, NULL, o->dataset, o->dataset);
    REFUSED(ERR_INVALID_ARG, dataset_with_labels, &out, NULL, o->dataset);
    REFUSED(ERR_INVALID_ARG, dataset_with_labels, &out, o->dataset, NULL);
    REFUSED(ERR_SHAPE, dataset_with_labels, &out, o->dataset, o->dataset);
    REFUSED(ERR_INVALID_ARG, dataset_normalized, NULL, o->dataset, -1, mean, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_normalized, &out, NULL, -1, mean, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_normalized, &out, o->dataset, -1, NULL, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_normalized, &out, o->dataset, -1, mean, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_normalized, &out, o->dataset, 99, mean, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_moments, NULL, -1, mean, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_moments, o->dataset, -1, NULL, deviation);
    REFUSED(ERR_INVALID_ARG, dataset_moments, o->dataset, -1, mean, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_moments, o->dataset, -5, mean, deviation);
    assert_true(!out && !second);
}
