#include "cryoscape/latent/spline.hpp"

#include <cmath>

namespace cryoscape::latent {
namespace {

constexpr double kLeastBin = 1e-4;         ///< width or height of a bin, as a share of the whole
constexpr double kLeastDerivative = 1e-4;  ///< at a knot

/// All bins of every spline.
struct Bins {
  torch::Tensor sizes;        ///< (B, m, 2, K): widths, heights
  torch::Tensor starts;       ///< (B, m, 2, K): left, bottom
  torch::Tensor derivatives;  ///< (B, m, 2, K): at the left end, at the right end
};

Bins bins_of(const torch::Tensor& p, double bound) {
  const auto k = (p.size(2) + 1) / 3;
  const auto shares = torch::softmax(p.narrow(2, 0, 2 * k).view({p.size(0), p.size(1), 2, k}), 3);
  Bins out;
  out.sizes = 2 * bound * (kLeastBin + (1 - kLeastBin * static_cast<double>(k)) * shares);
  out.starts = torch::cumsum(out.sizes, 3) - out.sizes - bound;
  // A parameter of zero means slope one, as outside.
  static const double kUnit = std::log(std::expm1(1 - kLeastDerivative));
  const auto inner = kLeastDerivative + torch::softplus(p.narrow(2, 2 * k, k - 1) + kUnit);
  const auto one = torch::ones_like(inner.narrow(2, 0, 1));
  out.derivatives = torch::stack({torch::cat({one, inner}, 2), torch::cat({inner, one}, 2)}, 2);
  return out;
}

/// The bin that every argument lies in, all (B, m).
struct Bin {
  torch::Tensor left, bottom, width, height, derivative, next_derivative;
  torch::Tensor slope() const { return height / width; }
};

/// Bins are looked up along x (axis 0) or y (axis 1).
Bin bin_of(const Bins& all, const torch::Tensor& argument, std::int64_t axis) {
  const auto k = all.sizes.size(3);
  const auto borders = all.starts.select(2, axis).narrow(2, 1, k - 1);
  const auto index = (argument.detach().unsqueeze(2) >= borders.detach()).sum(2);  // (B, m)
  const auto columns = torch::cat({all.starts, all.sizes, all.derivatives}, 2);    // (B, m, 6, K)
  const auto picked =
      columns
          .gather(3,
                  index.unsqueeze(2).unsqueeze(3).expand({index.size(0), index.size(1), columns.size(2), 1}))
          .squeeze(3)
          .unbind(2);
  return {picked[0], picked[1], picked[2], picked[3], picked[4], picked[5]};
}

}  // namespace

Warped spline(const torch::Tensor& x, const torch::Tensor& parameters, double bound) {
  const auto outside = x.detach().abs() > bound;
  const auto inside = x.clamp(-bound, bound);
  const auto bin = bin_of(bins_of(parameters, bound), inside, 0);
  const auto slope = bin.slope();
  const auto t = (inside - bin.left) / bin.width, both = t * (1 - t);
  const auto denominator = slope + (bin.derivative + bin.next_derivative - 2 * slope) * both;
  const auto y = bin.bottom + bin.height * (slope * t * t + bin.derivative * both) / denominator;
  const auto numerator = bin.next_derivative * t * t + 2 * slope * both + bin.derivative * (1 - t) * (1 - t);
  const auto log_derivative = torch::log(numerator * (slope / denominator).pow(2));
  return {torch::where(outside, x, y), log_derivative.masked_fill(outside, 0)};
}

torch::Tensor spline_inverse(const torch::Tensor& y, const torch::Tensor& parameters, double bound) {
  const auto outside = y.detach().abs() > bound;
  const auto inside = y.clamp(-bound, bound);
  const auto bin = bin_of(bins_of(parameters, bound), inside, 1);
  const auto slope = bin.slope();
  // The quadratic in t = (x − left)/width that y fulfils, solved without cancellation.
  const auto rise = inside - bin.bottom;
  const auto bend = rise * (bin.derivative + bin.next_derivative - 2 * slope);
  const auto a = bin.height * (slope - bin.derivative) + bend;
  const auto b = bin.height * bin.derivative - bend;
  const auto c = -slope * rise;
  const auto root = (b * b - 4 * a * c).clamp_min(0).sqrt();
  const auto x = bin.left + bin.width * (-2 * c / (b + root));
  return torch::where(outside, y, x);
}

}  // namespace cryoscape::latent
