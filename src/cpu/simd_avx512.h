/* simd.h for AVX-512 F, DQ, BW, VL: 16 floats. */
#ifndef LAE_SIMD_AVX512_H
#define LAE_SIMD_AVX512_H

#include <immintrin.h>

#define VL 16
typedef __m512 vf;
typedef __m512d vd;
typedef __mmask16 vm;

LAE_INLINE __mmask16 vf_first(int64_t n)
{
    return (__mmask16)((1u << n) - 1u);
}

LAE_INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
LAE_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
LAE_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
LAE_INLINE void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
LAE_INLINE vf vf_load_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(vf_first(n), p); }
LAE_INLINE void vf_store_n(float *p, vf a, int64_t n) { _mm512_mask_storeu_ps(p, vf_first(n), a); }

/** A store of a whole cache line past the caches, to where vf_can_stream() holds; all are done after
 * vf_stream_end(). */
LAE_INLINE void vf_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
LAE_INLINE int vf_can_stream(const float *p) { return ((uintptr_t)p & 63) == 0; }
LAE_INLINE void vf_stream_end(void) { _mm_sfence(); }

LAE_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
LAE_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
LAE_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
LAE_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
LAE_INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
LAE_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
LAE_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
LAE_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
LAE_INLINE vf vf_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
LAE_INLINE vf vf_abs(vf a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }

/** |size| with the sign of `sign`. */
LAE_INLINE vf vf_copysign(vf size, vf sign)
{
    vf bit = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(bit, size), _mm512_and_ps(bit, sign));
}

/** To the nearest integer, halves to even. */
LAE_INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

/** a * 2^n for integers n in [-252, 254]. */
LAE_INLINE vf vf_ldexp(vf a, vf n) { return _mm512_scalef_ps(a, n); }

LAE_INLINE vm vf_less(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
LAE_INLINE vm vf_less_equal(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
LAE_INLINE vm vf_equal(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LAE_INLINE vf vf_select(vm m, vf yes, vf no) { return _mm512_mask_blend_ps(m, no, yes); }

/** Lanes whose 32 bits are the same. */
LAE_INLINE vm vf_same_bits(vf a, vf b)
{
    return _mm512_cmpeq_epi32_mask(_mm512_castps_si512(a), _mm512_castps_si512(b));
}

LAE_INLINE vd vd_zero(void) { return _mm512_setzero_pd(); }
LAE_INLINE vd vd_set1(double x) { return _mm512_set1_pd(x); }
LAE_INLINE vd vd_load(const double *p) { return _mm512_loadu_pd(p); }
LAE_INLINE void vd_store(double *p, vd a) { _mm512_storeu_pd(p, a); }
LAE_INLINE vd vd_add(vd a, vd b) { return _mm512_add_pd(a, b); }
LAE_INLINE vd vd_mul(vd a, vd b) { return _mm512_mul_pd(a, b); }
LAE_INLINE vd vd_fma(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
LAE_INLINE vd vd_low(vf a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a)); }
LAE_INLINE vd vd_high(vf a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)); }

/** The doubles low, high rounded to floats. */
LAE_INLINE vf vf_narrow(vd low, vd high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}

/** Transposes VL x VL floats in place. */
LAE_INLINE void vf_transpose(vf row[VL])
{
    vf t[16];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_ps(row[2 * i], row[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(row[2 * i], row[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        row[4 * i] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        row[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
        row[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        row[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(row[i], row[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(row[i], row[i + 4], 0xDD);
        t[i + 8] = _mm512_shuffle_f32x4(row[i + 8], row[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(row[i + 8], row[i + 12], 0xDD);
    }
    for (int i = 0; i < 8; i++) {
        row[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        row[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
    }
}

#endif
