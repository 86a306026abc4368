/* simd.h for AVX2 with FMA: 8 floats. */
#ifndef LAE_SIMD_AVX2_H
#define LAE_SIMD_AVX2_H

#include <immintrin.h>

#define VL 8
typedef __m256 vf;
typedef __m256d vd;
typedef __m256 vm;

LAE_INLINE __m256i vf_first(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

LAE_INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
LAE_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
LAE_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
LAE_INLINE void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
LAE_INLINE vf vf_load_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, vf_first(n)); }

LAE_INLINE void vf_store_n(float *p, vf a, int64_t n)
{
    if (n == VL)
        _mm256_storeu_ps(p, a);
    else
        _mm256_maskstore_ps(p, vf_first(n), a);
}

LAE_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
LAE_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
LAE_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
LAE_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
LAE_INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
LAE_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
LAE_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
LAE_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
LAE_INLINE vf vf_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
LAE_INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }

/** |size| with the sign of `sign`. */
LAE_INLINE vf vf_copysign(vf size, vf sign)
{
    vf bit = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(bit, size), _mm256_and_ps(bit, sign));
}

/** To the nearest integer, halves to even. */
LAE_INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

/** a * 2^n for integers n in [-252, 254]: in two factors, so that results below 2^-126 round once. */
LAE_INLINE vf vf_ldexp(vf a, vf n)
{
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), bias = _mm256_set1_epi32(127);
    __m256i rest = _mm256_sub_epi32(whole, half);
    vf first = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    vf second = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(a, first), second);
}

LAE_INLINE vm vf_less(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
LAE_INLINE vm vf_less_equal(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
LAE_INLINE vm vf_equal(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
LAE_INLINE vf vf_select(vm m, vf yes, vf no) { return _mm256_blendv_ps(no, yes, m); }

/** Lanes whose 32 bits are the same. */
LAE_INLINE vm vf_same_bits(vf a, vf b)
{
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}

LAE_INLINE vd vd_zero(void) { return _mm256_setzero_pd(); }
LAE_INLINE vd vd_set1(double x) { return _mm256_set1_pd(x); }
LAE_INLINE vd vd_load(const double *p) { return _mm256_loadu_pd(p); }
LAE_INLINE void vd_store(double *p, vd a) { _mm256_storeu_pd(p, a); }
LAE_INLINE vd vd_add(vd a, vd b) { return _mm256_add_pd(a, b); }
LAE_INLINE vd vd_mul(vd a, vd b) { return _mm256_mul_pd(a, b); }
LAE_INLINE vd vd_fma(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
LAE_INLINE vd vd_low(vf a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
LAE_INLINE vd vd_high(vf a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }

/** The doubles low, high rounded to floats. */
LAE_INLINE vf vf_narrow(vd low, vd high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
}

/** Transposes VL x VL floats in place. */
LAE_INLINE void vf_transpose(vf row[VL])
{
    vf t[8];
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_ps(row[2 * i], row[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(row[2 * i], row[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        row[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        row[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
        row[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        row[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        vf low = row[i], high = row[i + 4];
        row[i] = _mm256_permute2f128_ps(low, high, 0x20);
        row[i + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

#endif
