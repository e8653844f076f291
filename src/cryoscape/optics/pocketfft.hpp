#pragma once

/// pocketfft as this project uses it: single-threaded, called from many threads.
#define POCKETFFT_NO_MULTITHREADING
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// It asks aligned_alloc for sizes that glibc takes and the sanitizers refuse.
#define POCKETFFT_NO_VECTORS
#endif
#include <gemmi/third_party/pocketfft_hdronly.h>
