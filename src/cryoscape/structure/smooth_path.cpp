#include "cryoscape/structure/smooth_path.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

constexpr std::size_t kMaximumTerms = 6;     // degree 5
constexpr std::size_t kArcIntervals = 2000;  // grid of the arc length table
constexpr std::size_t kNearestNodes = 51;    // coarse search of nearest()

using Terms = std::array<double, kMaximumTerms>;

/// Legendre polynomials P_0 … P_5 and their derivatives at t.
void legendre(double t, Terms& value, Terms& slope) {
  value[0] = 1, slope[0] = 0;
  value[1] = t, slope[1] = 1;
  for (std::size_t n = 1; n + 1 < kMaximumTerms; ++n) {
    const auto k = static_cast<double>(n);
    value[n + 1] = ((2 * k + 1) * t * value[n] - k * value[n - 1]) / (k + 1);
    slope[n + 1] = slope[n - 1] + (2 * k + 1) * value[n];
  }
}

/// Where a model number lies in the polynomials' [−1, 1].
double place(double model, std::size_t models) {
  return models > 1 ? -1 + 2 * (model - 1) / static_cast<double>(models - 1) : 0;
}

/// Solves the positive definite system A x = b (n × n, row-major; A is overwritten) by Cholesky, for
/// `columns` right-hand sides in b (n, columns).
void solve_positive(std::size_t n, std::vector<double>& a, std::size_t columns, std::vector<double>& b) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) b[i * columns + c] -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) b[i * columns + c] -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
  }
}

/// R.m.s. distance of a structure, superposed, from any point x = Σ_a P_a c_a of a path: norms and
/// covariances are polynomials in the P_a, so their parts are summed over the points only once.
class SuperposedDistance {
 public:
  /// Coefficients (3N, terms) and a structure (3N).
  SuperposedDistance(std::span<const double> coefficients, std::size_t terms,
                     std::span<const float> structure)
      : points_(static_cast<double>(structure.size()) / 3) {
    const auto columns = static_cast<Eigen::Index>(structure.size() / 3);
    Eigen::Matrix3Xd y = Eigen::Map<const Eigen::Matrix3Xf>(structure.data(), 3, columns).cast<double>();
    y.colwise() -= y.rowwise().mean().eval();
    square_ = y.squaredNorm();
    std::vector<Eigen::Matrix3Xd> centred;
    for (std::size_t a = 0; a < terms; ++a) {
      auto& c = centred.emplace_back(3, columns);
      for (Eigen::Index i = 0; i < c.size(); ++i)
        c.data()[i] = coefficients[static_cast<std::size_t>(i) * terms + a];
      c.colwise() -= c.rowwise().mean().eval();
      covariance_.push_back(c * y.transpose());
    }
    for (const auto& c : centred)
      for (const auto& other : centred) gram_.push_back(c.cwiseProduct(other).sum());
  }

  double at(const Terms& p) const {
    const std::size_t terms = covariance_.size();
    Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();
    double square = square_;
    for (std::size_t a = 0; a < terms; ++a) {
      covariance += p[a] * covariance_[a];
      for (std::size_t b = 0; b < terms; ++b) square += p[a] * p[b] * gram_[a * terms + b];
    }
    const Eigen::Vector3d s = Eigen::JacobiSVD<Eigen::Matrix3d>(covariance).singularValues();
    const double overlap = s[0] + s[1] + (covariance.determinant() < 0 ? -s[2] : s[2]);
    return std::sqrt(std::max(0.0, square - 2 * overlap) / points_);
  }

 private:
  double points_, square_ = 0;
  std::vector<Eigen::Matrix3d> covariance_;
  std::vector<double> gram_;  ///< (terms, terms)
};

}  // namespace

SmoothPath::SmoothPath(const std::vector<std::vector<float>>& models) : models_(models.size()) {
  if (models.empty() || models.front().empty()) fail("a path needs at least one model with atoms");
  const std::size_t size = models.front().size();
  for (const auto& m : models)
    if (m.size() != size)
      fail("the models of a path differ in their number of atoms ({} and {})", size / 3, m.size() / 3);
  terms_ = std::min(kMaximumTerms, models_);

  std::vector<double> normal(terms_ * terms_, 0.0), right(terms_ * size, 0.0);
  for (std::size_t m = 0; m < models_; ++m) {
    Terms value, slope;
    legendre(models_ > 1 ? -1 + 2.0 * static_cast<double>(m) / static_cast<double>(models_ - 1) : 0, value,
             slope);
    for (std::size_t a = 0; a < terms_; ++a) {
      for (std::size_t b = 0; b < terms_; ++b) normal[a * terms_ + b] += value[a] * value[b];
      for (std::size_t c = 0; c < size; ++c) right[a * size + c] += value[a] * models[m][c];
    }
  }
  solve_positive(terms_, normal, size, right);
  coefficients_.resize(size * terms_);
  for (std::size_t c = 0; c < size; ++c)
    for (std::size_t a = 0; a < terms_; ++a) coefficients_[c * terms_ + a] = right[a * size + c];

  gram_.assign(terms_ * terms_, 0.0);
  for (std::size_t c = 0; c < size; ++c)
    for (std::size_t a = 0; a < terms_; ++a)
      for (std::size_t b = 0; b < terms_; ++b)
        gram_[a * terms_ + b] +=
            coefficients_[c * terms_ + a] * coefficients_[c * terms_ + b] / static_cast<double>(points());

  // Simpson's rule on every interval.
  arc_.assign(kArcIntervals + 1, 0.0);
  const double h = static_cast<double>(models_ - 1) / kArcIntervals;
  for (std::size_t i = 0; i < kArcIntervals && models_ > 1; ++i) {
    const double m = 1 + h * static_cast<double>(i);
    arc_[i + 1] = arc_[i] + h / 6 * (speed(m) + 4 * speed(m + h / 2) + speed(m + h));
  }
  length_ = arc_.back();
  if (length_ > 0)
    for (auto& s : arc_) s /= length_;
}

double SmoothPath::speed(double model) const {
  if (models_ < 2) return 0;
  Terms value, slope;
  const double scale = 2.0 / static_cast<double>(models_ - 1);
  legendre(-1 + scale * (model - 1), value, slope);
  double sum = 0;
  for (std::size_t a = 0; a < terms_; ++a)
    for (std::size_t b = 0; b < terms_; ++b) sum += slope[a] * slope[b] * gram_[a * terms_ + b];
  return scale * std::sqrt(std::max(0.0, sum));
}

double SmoothPath::position_of_model(double model) const {
  if (models_ < 2 || length_ == 0) return 0;
  const double x = std::clamp((model - 1) / static_cast<double>(models_ - 1), 0.0, 1.0) * kArcIntervals;
  const auto i = std::min(static_cast<std::size_t>(x), kArcIntervals - 1);
  return arc_[i] + (x - static_cast<double>(i)) * (arc_[i + 1] - arc_[i]);
}

double SmoothPath::model_at(double s) const {
  if (models_ < 2 || length_ == 0) return 1;
  s = std::clamp(s, 0.0, 1.0);
  const auto above = std::upper_bound(arc_.begin() + 1, arc_.end() - 1, s);
  const auto i = static_cast<std::size_t>(above - arc_.begin()) - 1;
  const double gap = arc_[i + 1] - arc_[i];
  const double x = static_cast<double>(i) + (gap > 0 ? (s - arc_[i]) / gap : 0);
  return 1 + x / kArcIntervals * static_cast<double>(models_ - 1);
}

std::vector<float> SmoothPath::combine(std::span<const double> weights) const {
  std::vector<float> out(3 * points());
  for (std::size_t c = 0; c < out.size(); ++c) {
    double sum = 0;
    for (std::size_t a = 0; a < terms_; ++a) sum += weights[a] * coefficients_[c * terms_ + a];
    out[c] = static_cast<float>(sum);
  }
  return out;
}

std::vector<float> SmoothPath::at_model(double model) const {
  Terms value, slope;
  legendre(place(model, models_), value, slope);
  return combine(value);
}

std::vector<float> SmoothPath::slope_at_model(double model) const {
  Terms value, slope{};
  if (models_ > 1) {
    const double scale = 2.0 / static_cast<double>(models_ - 1);
    legendre(-1 + scale * (model - 1), value, slope);
    for (auto& w : slope) w *= scale;
  }
  return combine(slope);
}

std::vector<float> SmoothPath::tangent(double s) const {
  const double model = model_at(s), v = speed(model);
  auto out = slope_at_model(model);
  if (v > 0)
    for (auto& x : out) x = static_cast<float>(x * length_ / v);
  return out;
}

SmoothPath::Nearest SmoothPath::nearest(std::span<const float> coordinates, bool superpose) const {
  if (coordinates.size() != 3 * points())
    fail("a structure of {} atoms cannot be placed on a path of {}", coordinates.size() / 3, points());
  std::optional<SuperposedDistance> superposed;
  if (superpose) superposed.emplace(coefficients_, terms_, coordinates);
  const auto polynomials = [&](double model) {
    Terms value, slope;
    legendre(place(model, models_), value, slope);
    return value;
  };
  const auto distance = [&](double s) {
    return superposed ? superposed->at(polynomials(model_at(s))) : geometry::rmsd(coordinates, at(s));
  };
  Nearest best{0, distance(0)};
  if (length_ == 0) return best;
  const double step = 1.0 / static_cast<double>(kNearestNodes - 1);
  for (std::size_t i = 1; i < kNearestNodes; ++i)
    if (const double s = step * static_cast<double>(i), d = distance(s); d < best.rmsd) best = {s, d};
  // Golden section between the neighbours of the best node.
  constexpr double kGolden = 0.6180339887498949;
  double low = std::max(0.0, best.s - step), high = std::min(1.0, best.s + step);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low), at_a = distance(a),
         at_b = distance(b);
  while (high - low > 1e-4) {
    if (at_a < at_b) {
      high = b, b = a, at_b = at_a;
      a = high - kGolden * (high - low), at_a = distance(a);
    } else {
      low = a, a = b, at_a = at_b;
      b = low + kGolden * (high - low), at_b = distance(b);
    }
    if (at_a < best.rmsd) best = {a, at_a};
    if (at_b < best.rmsd) best = {b, at_b};
  }
  return best;
}

}  // namespace cryoscape::structure
