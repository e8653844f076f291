#pragma once
#include <map>
#include <string>

#include "cryoscape/training/benchmark_step.hpp"

namespace cryoscape::training {

/// Milliseconds per image of the parts of a step, each the median of several runs on all threads:
///   load        reading, normalising and transforming images, and their CTF, by the loader alone (in
///   training it runs beside the step) encode      encoder, forward                    decode     decoder,
///   forward project     projection and its adjoint          transform  forward
///   and inverse FFT likelihood  the rest of the fused score: comparing with the data, gradient in Fourier
///   space, sums for gain and noise restraints  energy and gradient                 prior      draw of z, KL
///   backward    networks, backward                  optimiser  AdamW
///   spectral    update of gain and noise
/// projection and FFT are timed on the same coordinates outside the fused score, and taken off its time.
std::map<std::string, double> measure_parts(const BenchmarkData& data, FastPath& path, double seconds);

/// Microseconds on one core: project_us_per_image_and_bead, project_backward_us_per_image_and_bead,
/// fft_us_per_image, inverse_fft_us_per_image, likelihood_us_per_image (the whole fused score with gradient).
std::map<std::string, double> measure_kernels(const BenchmarkData& data, FastPath& path,
                                              const particles::Batch& batch);

}  // namespace cryoscape::training
