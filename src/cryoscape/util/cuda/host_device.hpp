#pragma once
#include <cmath>

/// Marks the functions that GPU kernels and the host share; nothing to a host compiler.
#ifdef __CUDACC__
#define CRYOSCAPE_HOST_DEVICE __host__ __device__
#else
#define CRYOSCAPE_HOST_DEVICE
#endif
