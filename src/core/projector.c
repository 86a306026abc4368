#include "grid.h"
#include "json.h"
#include "options.h"
#include "replace.h"
#include "rows.h"

#include <lstmae/projector.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PROJECTOR_SPRITE 8192 /* longest side that the projector shows */
#define PROJECTOR_CHUNK 65536 /* bytes that are written at once */

static const char projector_tensors[] = "tensors.tsv", projector_labels[] = "metadata.tsv";
static const char projector_sprite[] = "sprite.png", projector_config[] = "projector_config.pbtxt";

static lstmae_status projector_path(char *out, const char *folder, const char *name)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (length >= 0 && length < PATH_MAX) return LSTMAE_OK;
    return LAE_FAIL(ERR_IO, "%.64s...: path is longer than %d bytes", folder, PATH_MAX);
}

static lstmae_status projector_write(const char *folder, const char *name, const lae_bytes *content)
{
    char path[PATH_MAX];
    LAE_TRY(lae_bytes_status(content, name));
    LAE_TRY(projector_path(path, folder, name));
    return lae_replace_content(path, content->data, content->size);
}

/* ---- vectors ---- */

static lstmae_status projector_put_row(lae_bytes *text, const double *row, int64_t width, int64_t index)
{
    for (int64_t i = 0; i < width; i++) {
        if (!isfinite(row[i]))
            return LAE_FAIL(ERR_NUMERIC, "projector_save: vector %lld: expected finite numbers, got %g",
                            (long long)index, row[i]);
        if (i > 0) lae_bytes_text(text, "\t");
        lae_bytes_real(text, row[i], 9);
    }
    lae_bytes_text(text, "\n");
    return lae_bytes_status(text, projector_tensors);
}

static lstmae_status projector_write_rows(lae_file *file, lae_rows *rows, double *row, lae_bytes *text)
{
    for (int64_t i = 0; i < rows->count; i++) {
        LAE_TRY(lae_rows_read(rows, i, 1, row));
        LAE_TRY(projector_put_row(text, row, rows->width, i));
        if (text->size < PROJECTOR_CHUNK && i < rows->count - 1) continue;
        LAE_TRY(lae_file_write(file, text->data, text->size));
        lae_bytes_cut(text, 0);
    }
    return LSTMAE_OK;
}

static lstmae_status projector_save_vectors(const char *folder, const lstmae_tensor *vectors, lae_memory *memory)
{
    char path[PATH_MAX];
    lae_replacement replacement;
    lae_rows rows = { .count = 0 };
    lae_bytes text = LAE_BYTES_OF(memory);
    size_t bytes = (size_t)vectors->view.dim[1] * sizeof(double);
    LAE_TRY(projector_path(path, folder, projector_tensors));
    double *row = lae_alloc(memory, bytes);
    if (!row) return LAE_FAIL(ERR_NO_MEMORY, "projector_save: no memory for %zu bytes", bytes);
    lstmae_status status = lae_rows_open(&rows, vectors, 1, "projector_save");
    if (status == LSTMAE_OK) status = lae_replace_begin(&replacement, path);
    if (status == LSTMAE_OK) {
        status = projector_write_rows(&replacement.file, &rows, row, &text);
        if (status == LSTMAE_OK)
            status = lae_replace_commit(&replacement);
        else
            lae_replace_abort(&replacement);
    }
    lae_rows_close(&rows);
    lae_bytes_free(&text);
    lae_free(memory, row, bytes);
    return status;
}

/* ---- labels ---- */

static int projector_blank(const char *label)
{
    return label[strspn(label, " \t\n\v\f\r")] == '\0';
}

static void projector_put_label(lae_bytes *text, const char *label)
{
    static const char plain[] = "\t\n\r\\", escaped[] = "tnr\\";
    if (projector_blank(label)) label = "(none)";
    for (; *label; label++) {
        const char *found = strchr(plain, *label);
        unsigned char c = (unsigned char)*label;
        char code[8] = { *label };
        if (found)
            snprintf(code, sizeof code, "\\%c", escaped[found - plain]);
        else if (c < 32 || c == 127)
            snprintf(code, sizeof code, "\\x%02x", c);
        lae_bytes_text(text, code);
    }
    lae_bytes_text(text, "\n");
}

static lstmae_status projector_save_labels(const char *folder, const char *const *labels, int64_t count,
                                           lae_memory *memory)
{
    lae_bytes text = LAE_BYTES_OF(memory);
    for (int64_t i = 0; i < count; i++) projector_put_label(&text, labels[i]);
    lstmae_status status = projector_write(folder, projector_labels, &text);
    lae_bytes_free(&text);
    return status;
}

/* ---- pictures ---- */

static lstmae_status projector_save_sprite(const char *folder, const lstmae_projector *content, lae_memory *memory)
{
    char path[PATH_MAX];
    lae_picture picture;
    lstmae_grid_options o = LSTMAE_GRID_OPTIONS_INIT, options;
    o.gap = 0;
    o.low = content->low;
    o.high = content->high;
    LAE_TRY(lae_grid_options(&options, &o, "projector_save"));
    LAE_TRY(projector_path(path, folder, projector_sprite));
    LAE_TRY(lae_grid_draw(&picture, content->images, &options, "projector_save"));
    lstmae_status status;
    if (picture.width > PROJECTOR_SPRITE || picture.height > PROJECTOR_SPRITE)
        status = LAE_FAIL(ERR_SHAPE, "projector_save: expected images that fit in %d x %d pixels, got %lld x %lld",
                          PROJECTOR_SPRITE, PROJECTOR_SPRITE, (long long)picture.width, (long long)picture.height);
    else
        status = lae_picture_save(&picture, path, memory);
    lae_picture_free(&picture, lae_context_memory(content->images->storage->context));
    return status;
}

/* ---- what points to them ---- */

static void projector_put_name(lae_bytes *text, const char *name)
{
    for (; *name; name++) {
        char code[8] = { *name };
        unsigned char c = (unsigned char)*name;
        if (c < 32 || c == 127 || c == '"' || c == '\\') snprintf(code, sizeof code, "\\%03o", c);
        lae_bytes_text(text, code);
    }
}

static lstmae_status projector_save_config(const char *folder, const lstmae_projector *content, lae_memory *memory)
{
    char line[160];
    lae_bytes text = LAE_BYTES_OF(memory);
    const lstmae_view *vectors = &content->vectors->view;
    lae_bytes_text(&text, "embeddings {\n  tensor_name: \"");
    projector_put_name(&text, content->name ? content->name : "codes");
    snprintf(line, sizeof line, "\"\n  tensor_shape: %lld\n  tensor_shape: %lld\n  tensor_path: \"%s\"\n",
             (long long)vectors->dim[0], (long long)vectors->dim[1], projector_tensors);
    lae_bytes_text(&text, line);
    if (content->labels) {
        snprintf(line, sizeof line, "  metadata_path: \"%s\"\n", projector_labels);
        lae_bytes_text(&text, line);
    }
    if (content->images) {
        const lstmae_view *images = &content->images->view;
        snprintf(line, sizeof line,
                 "  sprite {\n    image_path: \"%s\"\n    single_image_dim: %lld\n    single_image_dim: %lld\n  }\n",
                 projector_sprite, (long long)images->dim[3], (long long)images->dim[2]);
        lae_bytes_text(&text, line);
    }
    lae_bytes_text(&text, "}\n");
    lstmae_status status = projector_write(folder, projector_config, &text);
    lae_bytes_free(&text);
    return status;
}

static lstmae_status projector_check(const lstmae_projector *content)
{
    char text[LAE_SHAPE_TEXT];
    LAE_CHECK_ARG(content->flags == 0, "projector_save");
    LAE_CHECK_ARG(content->vectors, "projector_save");
    const lstmae_view *vectors = &content->vectors->view;
    if (vectors->ndim != 2 || lae_view_numel(vectors) == 0)
        return LAE_FAIL(ERR_SHAPE, "projector_save: expected vectors [N,D], one or more, got %s",
                        lae_shape_text(text, sizeof text, vectors));
    if (content->images && (content->images->view.ndim != 4 || content->images->view.dim[0] != vectors->dim[0]))
        return LAE_FAIL(ERR_SHAPE, "projector_save: expected images [%lld,C,H,W], got %s", (long long)vectors->dim[0],
                        lae_shape_text(text, sizeof text, &content->images->view));
    if (content->name && !lae_utf8_valid(content->name, strlen(content->name)))
        return LAE_FAIL(ERR_INVALID_ARG, "projector_save: expected a name in UTF-8");
    for (int64_t i = 0; content->labels && i < vectors->dim[0]; i++) {
        const char *label = content->labels[i];
        if (!label || !lae_utf8_valid(label, strlen(label)))
            return LAE_FAIL(ERR_INVALID_ARG, "projector_save: label %lld: expected a text in UTF-8, got %s",
                            (long long)i, label ? "other bytes" : "NULL");
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_projector_save(const char *folder, const lstmae_projector *content)
{
    static const lstmae_projector defaults = LSTMAE_PROJECTOR_INIT;
    lstmae_projector c;
    LAE_CHECK_ARG(folder && folder[0], "projector_save");
    LAE_CHECK_ARG(content, "projector_save");
    LAE_TRY(lae_options_read(&c, &defaults, sizeof c, content, sizeof c, "projector"));
    LAE_TRY(projector_check(&c));
    lae_memory *memory = lae_context_memory(c.vectors->storage->context);
    LAE_TRY(lae_directory_create(folder));
    LAE_TRY(projector_save_vectors(folder, c.vectors, memory));
    if (c.labels) LAE_TRY(projector_save_labels(folder, c.labels, c.vectors->view.dim[0], memory));
    if (c.images) LAE_TRY(projector_save_sprite(folder, &c, memory));
    return projector_save_config(folder, &c, memory);
}
