/* Writing protocol buffers: fields of messages, as https://protobuf.dev/programming-guides/encoding/ describes them. */
#ifndef LAE_PROTOBUF_H
#define LAE_PROTOBUF_H

#include "bytes.h"

void lae_proto_int(lae_bytes *out, int field, int64_t value);
void lae_proto_float(lae_bytes *out, int field, float value);
void lae_proto_double(lae_bytes *out, int field, double value);
void lae_proto_string(lae_bytes *out, int field, const char *text);
void lae_proto_doubles(lae_bytes *out, int field, const double *values, size_t count); /* packed */

/** A field whose content, a message or bytes, is what is put between the two. `begin` returns what `end` wants. */
size_t lae_proto_begin(lae_bytes *out, int field);
void lae_proto_end(lae_bytes *out, size_t begin);

#endif
