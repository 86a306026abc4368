#include "texts.h"

#include "size.h"

#define TEXTS_CHUNK ((size_t)65536)

struct lae_texts_chunk {
    struct lae_texts_chunk *before;
    size_t bytes; /* of the whole allocation */
    size_t used;
    char text[];
};

lstmae_status lae_texts_create(lae_texts **out, lstmae_context *context)
{
    lae_texts *texts = lae_calloc(lae_context_memory(context), 1, sizeof *texts);
    *out = texts;
    if (!texts) return LAE_FAIL(ERR_NO_MEMORY, "table: no memory for %zu bytes", sizeof *texts);
    atomic_init(&texts->references, 1);
    texts->context = lae_context_retain(context);
    return LSTMAE_OK;
}

lae_texts *lae_texts_retain(lae_texts *texts)
{
    atomic_fetch_add_explicit(&texts->references, 1, memory_order_relaxed);
    return texts;
}

void lae_texts_release(lae_texts *texts)
{
    if (!texts || atomic_fetch_sub_explicit(&texts->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = texts->context;
    lae_memory *memory = lae_context_memory(context);
    for (struct lae_texts_chunk *chunk = texts->last, *before; chunk; chunk = before) {
        before = chunk->before;
        lae_free(memory, chunk, chunk->bytes);
    }
    lae_free(memory, texts, sizeof *texts);
    lae_context_release(context);
}

char *lae_texts_add(lae_texts *texts, size_t bytes)
{
    struct lae_texts_chunk *chunk = texts->last;
    size_t want, size;
    if (!lae_add_size(&want, bytes, 1)) return NULL;
    if (!chunk || chunk->bytes - sizeof *chunk - chunk->used < want) {
        if (!lae_add_size(&size, want, sizeof *chunk)) return NULL;
        if (size < TEXTS_CHUNK) size = TEXTS_CHUNK;
        chunk = lae_alloc(lae_context_memory(texts->context), size);
        if (!chunk) return NULL;
        *chunk = (struct lae_texts_chunk){ texts->last, size, 0 };
        texts->last = chunk;
    }
    char *text = chunk->text + chunk->used;
    chunk->used += want;
    text[bytes] = '\0';
    return text;
}
