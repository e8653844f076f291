#pragma once
#include <algorithm>
#include <cmath>

namespace cryoscape::model {

// Named as the tensor operations that argument-dependent lookup finds for tensors.
inline double clamp_min(double x, double least) { return std::max(x, least); }
inline double full_like(double, double value) { return value; }

/// Posterior of an image's contrast α, given Σ |X − α m|²/S = a − 2αb + α²c: mean and variance; and the score
/// with its derivatives by b and c. Number is double, or a tensor of one number per image.
template <class Number>
struct Contrast {
  Number mean, variance, score, d_b, d_c;
};

/// Gaussian likelihood, α ~ N(1, contrast_sd²) integrated out; α = 1 where contrast_sd is 0.
template <class Number>
Contrast<Number> score_gaussian(const Number& a, const Number& b, const Number& c, double contrast_sd,
                                const Number& log_normaliser) {
  using std::log1p;
  Contrast<Number> out;
  if (contrast_sd <= 0) {
    out.mean = full_like(c, 1.0);
    out.variance = full_like(c, 0.0);
    out.score = log_normaliser - 0.5 * (a - 2 * b + c);
  } else {
    const double precision = 1 / (contrast_sd * contrast_sd);
    out.variance = 1 / (c + precision);
    out.mean = (b + precision) * out.variance;
    out.score =
        log_normaliser - 0.5 * (a + precision - (b + precision) * out.mean) - 0.5 * log1p(c / precision);
  }
  out.d_b = out.mean;
  out.d_c = -0.5 * (out.mean * out.mean + out.variance);
  return out;
}

/// Normalised correlation of data and prediction.
template <class Number>
Contrast<Number> score_correlation(const Number& a, const Number& b, const Number& c) {
  using std::sqrt;
  constexpr double kTiny = 1e-30;
  Contrast<Number> out;
  const Number norm = sqrt(clamp_min(a * c, kTiny)), power = clamp_min(c, kTiny);
  out.score = b / norm;
  out.mean = b / power;
  out.variance = full_like(c, 0.0);
  out.d_b = 1 / norm;
  out.d_c = -0.5 * out.score / power;
  return out;
}

}  // namespace cryoscape::model
