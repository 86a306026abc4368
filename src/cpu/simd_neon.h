/* simd.h for AArch64: 4 floats. */
#ifndef LAE_SIMD_NEON_H
#define LAE_SIMD_NEON_H

#include <arm_neon.h>

#define VL 4
typedef float32x4_t vf;
typedef float64x2_t vd;
typedef uint32x4_t vm;

LAE_INLINE vf vf_zero(void) { return vdupq_n_f32(0.0f); }
LAE_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
LAE_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
LAE_INLINE void vf_store(float *p, vf a) { vst1q_f32(p, a); }

LAE_INLINE vf vf_load_n(const float *p, int64_t n)
{
    if (n == VL) return vld1q_f32(p);
    float x[VL] = { 0.0f, 0.0f, 0.0f, 0.0f };
    for (int64_t i = 0; i < n; i++) x[i] = p[i];
    return vld1q_f32(x);
}

LAE_INLINE void vf_store_n(float *p, vf a, int64_t n)
{
    if (n == VL) {
        vst1q_f32(p, a);
        return;
    }
    float x[VL];
    vst1q_f32(x, a);
    for (int64_t i = 0; i < n; i++) p[i] = x[i];
}

LAE_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
LAE_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
LAE_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
LAE_INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
LAE_INLINE vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
LAE_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
LAE_INLINE vf vf_neg(vf a) { return vnegq_f32(a); }
LAE_INLINE vf vf_abs(vf a) { return vabsq_f32(a); }

LAE_INLINE vm vf_less(vf a, vf b) { return vcltq_f32(a, b); }
LAE_INLINE vm vf_less_equal(vf a, vf b) { return vcleq_f32(a, b); }
LAE_INLINE vm vf_equal(vf a, vf b) { return vceqq_f32(a, b); }
LAE_INLINE vf vf_select(vm m, vf yes, vf no) { return vbslq_f32(m, yes, no); }

/** Lanes whose 32 bits are the same. */
LAE_INLINE vm vf_same_bits(vf a, vf b) { return vceqq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)); }

LAE_INLINE vf vf_min(vf a, vf b) { return vf_select(vf_less(a, b), a, b); }
LAE_INLINE vf vf_max(vf a, vf b) { return vf_select(vf_less(b, a), a, b); }

/** |size| with the sign of `sign`. */
LAE_INLINE vf vf_copysign(vf size, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000u), sign, size); }

/** To the nearest integer, halves to even. */
LAE_INLINE vf vf_round(vf a) { return vrndnq_f32(a); }

/** a * 2^n for integers n in [-252, 254]: in two factors, so that results below 2^-126 round once. */
LAE_INLINE vf vf_ldexp(vf a, vf n)
{
    int32x4_t whole = vcvtq_s32_f32(n), half = vshrq_n_s32(whole, 1), bias = vdupq_n_s32(127);
    int32x4_t rest = vsubq_s32(whole, half);
    vf first = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23));
    vf second = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23));
    return vmulq_f32(vmulq_f32(a, first), second);
}

LAE_INLINE vd vd_zero(void) { return vdupq_n_f64(0.0); }
LAE_INLINE vd vd_set1(double x) { return vdupq_n_f64(x); }
LAE_INLINE vd vd_load(const double *p) { return vld1q_f64(p); }
LAE_INLINE void vd_store(double *p, vd a) { vst1q_f64(p, a); }
LAE_INLINE vd vd_add(vd a, vd b) { return vaddq_f64(a, b); }
LAE_INLINE vd vd_mul(vd a, vd b) { return vmulq_f64(a, b); }
LAE_INLINE vd vd_fma(vd a, vd b, vd c) { return vfmaq_f64(c, a, b); }
LAE_INLINE vd vd_low(vf a) { return vcvt_f64_f32(vget_low_f32(a)); }
LAE_INLINE vd vd_high(vf a) { return vcvt_high_f64_f32(a); }

/** The doubles low, high rounded to floats. */
LAE_INLINE vf vf_narrow(vd low, vd high) { return vcvt_high_f32_f64(vcvt_f32_f64(low), high); }

/** Transposes VL x VL floats in place. */
LAE_INLINE void vf_transpose(vf row[VL])
{
    float32x4x2_t a = vtrnq_f32(row[0], row[1]), b = vtrnq_f32(row[2], row[3]);
    row[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    row[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    row[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    row[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#endif
