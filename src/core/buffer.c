#include "buffer.h"

#include "ops.h"
#include "size.h"

lstmae_status lae_buffer_reserve(lae_buffer *buffer, lstmae_context *context, size_t count, size_t each)
{
    size_t bytes;
    if (!lae_mul_size(&bytes, count, each))
        return LAE_FAIL(ERR_SHAPE, "buffer: %zu elements of %zu bytes overflow", count, each);
    if (bytes <= buffer->bytes) return LSTMAE_OK;
    lae_buffer_release(buffer);
    void *data;
    LAE_TRY(lae_op_alloc(context, bytes, &data));
    buffer->context = context;
    buffer->data = data;
    buffer->bytes = bytes;
    return LSTMAE_OK;
}

void lae_buffer_release(lae_buffer *buffer)
{
    if (buffer->data) lae_op_release(buffer->context, buffer->data, buffer->bytes);
    buffer->data = NULL;
    buffer->bytes = 0;
}
