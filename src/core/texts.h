/* Many short texts that live and die together. */
#ifndef LAE_TEXTS_H
#define LAE_TEXTS_H

#include "context_internal.h"

/** Counted, so that several tables can share one. */
typedef struct lae_texts {
    atomic_int references;
    lstmae_context *context;      /* retained */
    struct lae_texts_chunk *last; /* they are chained */
} lae_texts;

lstmae_status lae_texts_create(lae_texts **out, lstmae_context *context);
lae_texts *lae_texts_retain(lae_texts *texts);
void lae_texts_release(lae_texts *texts); /* NULL is fine */

/** Room for a text of `bytes` bytes and a NUL, which is there already; NULL without memory. */
char *lae_texts_add(lae_texts *texts, size_t bytes);

#endif
