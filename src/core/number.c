/*
 * A number is w * 10^e, w its first 19 digits. Where both w and 10^|e| are exact in double, one operation gives the
 * correctly rounded double; elsewhere a few operations give one that is off by less than NUMBER_SLACK units of its last
 * place. Rounding that to float is rounding the number itself, unless the double is that near to the middle between
 * two floats. Then, and for results below the normal floats, the number is compared with the middle in whole
 * numbers of up to 1,024 bits (Clinger 1990, How to Read Floating Point Numbers Accurately, his AlgorithmR).
 */
#include "number.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define NUMBER_DIGITS 19    /* that fit in 64 bits */
#define NUMBER_SLACK 16     /* last places of double; at most five operations of half a place each, and w itself */
#define NUMBER_HIGH 40      /* numbers of 10^40 or more are beyond float32's range */
#define NUMBER_LOW (-50)    /* numbers below 10^-50 are nearer to 0 than to the least float */
#define NUMBER_EXPONENT 100000000 /* exponents are cut here; the digits of a text in memory are fewer */

/* ---- exact comparison ---- */

#define BIG_LIMBS 40

/* A whole number, least limb first. */
typedef struct big {
    uint32_t limb[BIG_LIMBS];
    int used;
} big;

static void big_multiply_add(big *number, uint32_t factor, uint32_t more)
{
    uint64_t carry = more;
    for (int i = 0; i < number->used; i++) {
        carry += (uint64_t)number->limb[i] * factor;
        number->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) number->limb[number->used++] = (uint32_t)carry;
}

static void big_power(big *number, uint32_t base, int64_t exponent)
{
    for (; exponent > 0; exponent--) big_multiply_add(number, base, 0);
}

static int big_compare(const big *a, const big *b)
{
    if (a->used != b->used) return a->used < b->used ? -1 : 1;
    for (int i = a->used - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* The digits as they stand in the text, the number being digits * 10^exponent. */
typedef struct number_text {
    const char *digits;
    const char *end;
    char point;
    int64_t exponent;
} number_text;

/* Digits beyond these decide nothing but whether they are all zero: a middle between two floats has fewer. */
#define NUMBER_EXACT_DIGITS 120

/* number * 10^*exponent is the number, or on the same side of every middle between two floats. */
static void number_exact(const number_text *text, big *number, int64_t *exponent)
{
    int count = 0, rest = 0;
    *exponent = text->exponent;
    number->used = 0;
    for (const char *p = text->digits; p < text->end; p++) {
        if (*p == text->point || (count == 0 && *p == '0')) continue;
        if (count < NUMBER_EXACT_DIGITS) {
            big_multiply_add(number, 10, (uint32_t)(*p - '0'));
            count++;
        } else {
            rest |= *p != '0';
            (*exponent)++;
        }
    }
    if (!rest) return;
    big_multiply_add(number, 10, 1);
    (*exponent)--;
}

/* Compares the number with the middle between the float of these bits and the next one. */
static int number_compare_middle(const big *digits, int64_t exponent, uint32_t bits)
{
    /* The middle is (2 m + 1) 2^(e - 1) for the float m 2^e. */
    int32_t field = (int32_t)(bits >> 23);
    uint32_t mantissa = bits & 0x7fffff;
    int64_t binary = (field > 0 ? field : 1) - 150 - 1;
    if (field > 0) mantissa |= 0x800000;
    big left = *digits, right = { { 2 * mantissa + 1 }, 1 };
    big_power(exponent > 0 ? &left : &right, 10, exponent > 0 ? exponent : -exponent);
    big_power(binary > 0 ? &right : &left, 2, binary > 0 ? binary : -binary);
    return big_compare(&left, &right);
}

/* The nearest float, beginning from one that is near. */
static float number_round(const number_text *text, double near)
{
    big digits;
    int64_t exponent;
    uint32_t bits;
    float value = near >= (double)FLT_MAX ? FLT_MAX : (float)near;
    memcpy(&bits, &value, sizeof bits);
    number_exact(text, &digits, &exponent);
    for (;;) {
        int above = number_compare_middle(&digits, exponent, bits);
        if (above < 0 || (above == 0 && !(bits & 1))) break;
        if (++bits == 0x7f800000) break; /* infinite */
    }
    for (; bits > 0; bits--) {
        int below = bits == 0x7f800000 ? 1 : number_compare_middle(&digits, exponent, bits - 1);
        if (below > 0 || (below == 0 && !(bits & 1))) break;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- the usual way ---- */

static const double number_powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
#define NUMBER_POWER 22 /* the largest power of ten that is exact in double */

/* w * 10^exponent within NUMBER_SLACK last places. */
static double number_scale(uint64_t w, int64_t exponent)
{
    double value = (double)w;
    for (; exponent > NUMBER_POWER; exponent -= NUMBER_POWER) value *= number_powers[NUMBER_POWER];
    for (; exponent < -NUMBER_POWER; exponent += NUMBER_POWER) value /= number_powers[NUMBER_POWER];
    return exponent < 0 ? value / number_powers[-exponent] : value * number_powers[exponent];
}

/* How many last places of double lie between the value and the middle between two floats. */
static int64_t number_distance(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int64_t distance = (int64_t)(bits & 0x1fffffff) - 0x10000000;
    return distance < 0 ? -distance : distance;
}

/* A number of more than NUMBER_DIGITS digits: its first ones; *exponent grows with those left out. */
static uint64_t number_first_digits(const number_text *text, int64_t *exponent)
{
    uint64_t w = 0;
    int count = 0;
    *exponent = text->exponent;
    for (const char *p = text->digits; p < text->end; p++) {
        if (*p == text->point || (count == 0 && *p == '0')) continue;
        if (count < NUMBER_DIGITS) {
            w = 10 * w + (uint64_t)(*p - '0');
            count++;
        } else {
            (*exponent)++;
        }
    }
    return w;
}

static float number_convert(const number_text *text, uint64_t w, int64_t exponent)
{
    int64_t magnitude = exponent;
    for (uint64_t rest = w; rest > 0; rest /= 10) magnitude++; /* the number is below 10^magnitude */
    if (w == 0 || magnitude < NUMBER_LOW) return 0.0f;
    if (magnitude > NUMBER_HIGH) return INFINITY;
    double value = number_scale(w, exponent);
    if (value >= (double)FLT_MIN && value <= (double)FLT_MAX && number_distance(value) > NUMBER_SLACK)
        return (float)value;
    return number_round(text, value);
}

static int number_digit(char c)
{
    return (unsigned)(c - '0') <= 9;
}

/* The exponent behind `text` if there is one; returns its end. */
static const char *number_exponent(const char *text, int64_t *exponent)
{
    const char *p = text;
    int64_t value = 0;
    if (*p != 'e' && *p != 'E') return text;
    int negative = *++p == '-';
    if (*p == '-' || *p == '+') p++;
    if (!number_digit(*p)) return text;
    for (; number_digit(*p); p++)
        if (value < NUMBER_EXPONENT) value = 10 * value + (*p - '0');
    *exponent += negative ? -value : value;
    return p;
}

const char *lae_number_read(const char *text, char point, float *value)
{
    const char *p = text;
    uint64_t w = 0;
    int negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    number_text digits = { p, NULL, point, 0 };
    int64_t count;
    for (; number_digit(*p); p++) w = 10 * w + (uint64_t)(*p - '0');
    count = p - digits.digits;
    if (*p == point) {
        const char *fraction = ++p;
        for (; number_digit(*p); p++) w = 10 * w + (uint64_t)(*p - '0');
        digits.exponent = fraction - p;
        count -= digits.exponent;
    }
    if (count == 0) return NULL;
    digits.end = p;
    p = number_exponent(p, &digits.exponent);
    int64_t exponent = digits.exponent;
    if (count > NUMBER_DIGITS) w = number_first_digits(&digits, &exponent);
    float result;
    if (count <= NUMBER_DIGITS && w <= UINT64_C(1) << 53 && exponent <= 0 && exponent >= -NUMBER_POWER) {
        double exact = (double)w / number_powers[-exponent];
        int usual = exact >= (double)FLT_MIN && number_distance(exact) > 0;
        result = w == 0 ? 0.0f : usual ? (float)exact : number_convert(&digits, w, exponent);
    } else {
        result = number_convert(&digits, w, exponent);
    }
    *value = negative ? -result : result;
    return p;
}
