/* bfloat16: the upper half of a float32, rounded to nearest even; not-a-number becomes 0x7fff, as on the device. */
#ifndef LAE_HOST_CUDA_BF16_H
#define LAE_HOST_CUDA_BF16_H

#include "device_functions.h"

struct __nv_bfloat16_raw {
    unsigned short x;
};

inline unsigned short lae_host_to_bf16(float value)
{
    unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
inline float lae_host_from_bf16(unsigned short bits) { return __uint_as_float((unsigned)bits << 16); }

struct alignas(2) __nv_bfloat16 {
    unsigned short __x;
    __nv_bfloat16() = default;
    __nv_bfloat16(float value) : __x(lae_host_to_bf16(value)) {}
    __nv_bfloat16(const __nv_bfloat16_raw &raw) : __x(raw.x) {}
    operator float() const { return lae_host_from_bf16(__x); }
    operator __nv_bfloat16_raw() const { return { __x }; }
};
struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
    __nv_bfloat162() = default;
    __nv_bfloat162(const __nv_bfloat16 &x_, const __nv_bfloat16 &y_) : x(x_), y(y_) {}
};
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

inline __nv_bfloat16 __float2bfloat16(float value) { return __nv_bfloat16(value); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
inline float __bfloat162float(__nv_bfloat16 value) { return lae_host_from_bf16(value.__x); }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) { return value.__x; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return __nv_bfloat16(__nv_bfloat16_raw{ bits }); }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) { return __nv_bfloat162(x, y); }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
    return __nv_bfloat162(__float2bfloat16_rn(x), __float2bfloat16_rn(y));
}
inline __nv_bfloat162 __float22bfloat162_rn(float2 value) { return __floats2bfloat162_rn(value.x, value.y); }
inline float __low2float(__nv_bfloat162 value) { return __bfloat162float(value.x); }
inline float __high2float(__nv_bfloat162 value) { return __bfloat162float(value.y); }
inline float2 __bfloat1622float2(__nv_bfloat162 value) { return { __low2float(value), __high2float(value) }; }

#endif
