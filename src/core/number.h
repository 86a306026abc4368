/* Decimal numbers in text, whatever the locale: rounded correctly to float32, ties to even. */
#ifndef LAE_NUMBER_H
#define LAE_NUMBER_H

/**
 * Reads the number that `text` begins with: a sign or none, digits with or without one `point` among, before or behind
 * them, and an exponent (e, a sign or none, digits) or none. No white space, hexadecimal, inf or nan. `text` must be
 * followed by a NUL.
 * @return where the number ends, NULL if there is none; *value is infinite where it is beyond float32's range
 */
const char *lae_number_read(const char *text, char point, float *value);

#endif
