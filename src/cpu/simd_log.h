/* log(1 + e) of VL floats in [0, 1], from simd.h; below 2.5 ulp. NaN gives NaN. */
#ifndef LAE_SIMD_LOG_H
#define LAE_SIMD_LOG_H

#include "simd.h"

/** As lae_log1p_unit() of shared/activation.h: with s = e / (2 + e), 2 artanh s = 2 s (1 + s^2 q(s^2)). */
LAE_INLINE vf vf_log1p_unit(vf e)
{
    vf s = vf_div(e, vf_add(vf_set1(2.0f), e)), z = vf_mul(s, s);
    vf q = vf_fma(vf_set1(0x1.dbef8ep-4f), z, vf_set1(0x1.bc7be0p-4f));
    q = vf_fma(q, z, vf_set1(0x1.24c9bep-3f));
    q = vf_fma(q, z, vf_set1(0x1.9998d2p-3f));
    q = vf_fma(q, z, vf_set1(0x1.555556p-2f));
    vf twice = vf_add(s, s);
    return vf_fma(vf_mul(twice, z), q, twice);
}

#endif
