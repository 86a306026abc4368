/* simd.h without an instruction set: 4 floats in the compiler's own vectors. */
#ifndef LAE_SIMD_PLAIN_H
#define LAE_SIMD_PLAIN_H

#define VL 4
typedef float vf __attribute__((vector_size(16)));
typedef double vd __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16)));

LAE_INLINE vf vf_set1(float x) { return (vf){ x, x, x, x }; }
LAE_INLINE vf vf_zero(void) { return vf_set1(0.0f); }

LAE_INLINE vf vf_load(const float *p)
{
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}

LAE_INLINE void vf_store(float *p, vf a) { memcpy(p, &a, sizeof a); }

LAE_INLINE vf vf_load_n(const float *p, int64_t n)
{
    vf a = vf_set1(0.0f);
    memcpy(&a, p, (size_t)n * sizeof *p);
    return a;
}

LAE_INLINE void vf_store_n(float *p, vf a, int64_t n) { memcpy(p, &a, (size_t)n * sizeof *p); }
LAE_INLINE vf vf_add(vf a, vf b) { return a + b; }
LAE_INLINE vf vf_sub(vf a, vf b) { return a - b; }
LAE_INLINE vf vf_mul(vf a, vf b) { return a * b; }
LAE_INLINE vf vf_div(vf a, vf b) { return a / b; }
LAE_INLINE vf vf_sqrt(vf a) { return (vf){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) }; }
LAE_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }

LAE_INLINE vm vf_less(vf a, vf b) { return a < b; }
LAE_INLINE vm vf_less_equal(vf a, vf b) { return a <= b; }
LAE_INLINE vm vf_equal(vf a, vf b) { return a == b; }
LAE_INLINE vf vf_select(vm m, vf yes, vf no) { return (vf)(((vm)yes & m) | ((vm)no & ~m)); }

/** Lanes whose 32 bits are the same. */
LAE_INLINE vm vf_same_bits(vf a, vf b) { return (vm)a == (vm)b; }

LAE_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }
LAE_INLINE vf vf_max(vf a, vf b) { return vf_select(b < a, a, b); }

LAE_INLINE vm vm_sign(void) { return (vm)vf_set1(-0.0f); }
LAE_INLINE vf vf_neg(vf a) { return (vf)((vm)a ^ vm_sign()); }
LAE_INLINE vf vf_abs(vf a) { return (vf)((vm)a & ~vm_sign()); }

/** |size| with the sign of `sign`. */
LAE_INLINE vf vf_copysign(vf size, vf sign) { return (vf)(((vm)size & ~vm_sign()) | ((vm)sign & vm_sign())); }

/** To the nearest integer, halves to even: adding 1.5 * 2^23 leaves no bits behind the point. */
LAE_INLINE vf vf_round(vf a)
{
    vf magic = vf_set1(12582912.0f);
    return vf_select(vf_less(vf_abs(a), vf_set1(4194304.0f)), (a + magic) - magic, a);
}

/** a * 2^n for integers n in [-252, 254]: in two factors, so that results below 2^-126 round once. */
LAE_INLINE vf vf_ldexp(vf a, vf n)
{
    /* NaN has no integer: any factor will do, since a is NaN as well. */
    vf known = vf_select(vf_equal(n, n), n, vf_set1(0.0f));
    vm whole = { (int32_t)known[0], (int32_t)known[1], (int32_t)known[2], (int32_t)known[3] };
    vm half = whole >> 1, rest = whole - half;
    return a * (vf)((half + 127) << 23) * (vf)((rest + 127) << 23);
}

LAE_INLINE vd vd_set1(double x) { return (vd){ x, x }; }
LAE_INLINE vd vd_zero(void) { return vd_set1(0.0); }

LAE_INLINE vd vd_load(const double *p)
{
    vd a;
    memcpy(&a, p, sizeof a);
    return a;
}

LAE_INLINE void vd_store(double *p, vd a) { memcpy(p, &a, sizeof a); }
LAE_INLINE vd vd_add(vd a, vd b) { return a + b; }
LAE_INLINE vd vd_mul(vd a, vd b) { return a * b; }
LAE_INLINE vd vd_fma(vd a, vd b, vd c) { return a * b + c; }
LAE_INLINE vd vd_low(vf a) { return (vd){ (double)a[0], (double)a[1] }; }
LAE_INLINE vd vd_high(vf a) { return (vd){ (double)a[2], (double)a[3] }; }

/** The doubles low, high rounded to floats. */
LAE_INLINE vf vf_narrow(vd low, vd high)
{
    return (vf){ (float)low[0], (float)low[1], (float)high[0], (float)high[1] };
}

/** Transposes VL x VL floats in place. */
LAE_INLINE void vf_transpose(vf row[VL])
{
    for (int i = 0; i < VL; i++)
        for (int j = i + 1; j < VL; j++) {
            float x = row[i][j];
            row[i][j] = row[j][i];
            row[j][i] = x;
        }
}

#endif
