#include "cryoscape/inference/smooth_basis.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kPieces = 4;  // B-splines on one interval

/// The four B-splines on an interval as polynomials of u ∈ [0, 1], lowest power first, times 6.
constexpr double kSplines[kPieces][4] = {{1, -3, 3, -1}, {4, 0, -6, 3}, {1, 3, 3, -3}, {0, 0, 0, 1}};

using Polynomial = std::array<double, 4>;

Polynomial derivative(const double (&spline)[4], int order) {
  Polynomial p{};
  std::copy_n(spline, 4, p.begin());
  for (double& c : p) c /= 6;
  for (int k = 0; k < order; ++k) {
    for (std::size_t i = 0; i < 3; ++i) p[i] = static_cast<double>(i + 1) * p[i + 1];
    p[3] = 0;
  }
  return p;
}

double product_integral(const Polynomial& a, const Polynomial& b) {
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) sum += a[i] * b[j] / static_cast<double>(i + j + 1);
  return sum;
}

double value_at(const Polynomial& p, double u) { return p[0] + u * (p[1] + u * (p[2] + u * p[3])); }

/// The splines along one axis.
struct Axis {
  std::size_t nodes, intervals;
  std::size_t functions() const { return intervals + kPieces - 1; }

  /// First spline that does not vanish at a node, and the values of the four.
  std::size_t at(std::size_t node, double (&values)[kPieces]) const {
    const double t =
        static_cast<double>(node) * static_cast<double>(intervals) / static_cast<double>(nodes - 1);
    const auto first = std::min(static_cast<std::size_t>(t), intervals - 1);
    for (std::size_t k = 0; k < kPieces; ++k)
      values[k] = value_at(derivative(kSplines[k], 0), t - static_cast<double>(first));
    return first;
  }
  double cell(std::size_t node) const {
    return (node == 0 || node + 1 == nodes ? 0.5 : 1.0) / static_cast<double>(nodes - 1);
  }
};

/// (m, m): ∫ of products of derivatives over [0, 1].
std::vector<double> gram(const Axis& axis, int order) {
  const std::size_t m = axis.functions();
  const double scale = std::pow(static_cast<double>(axis.intervals), 2 * order - 1);
  std::vector<double> g(m * m, 0.0);
  for (std::size_t a = 0; a < kPieces; ++a)
    for (std::size_t b = 0; b < kPieces; ++b) {
      const double integral =
          scale * product_integral(derivative(kSplines[a], order), derivative(kSplines[b], order));
      for (std::size_t i = 0; i < axis.intervals; ++i) g[(i + a) * m + i + b] += integral;
    }
  return g;
}

/// (m): ∫ of each spline over [0, 1].
std::vector<double> integrals(const Axis& axis) {
  std::vector<double> out(axis.functions(), 0.0);
  const double scale = 1 / static_cast<double>(axis.intervals);
  for (std::size_t a = 0; a < kPieces; ++a)
    for (std::size_t i = 0; i < axis.intervals; ++i)
      out[i + a] += scale * product_integral(derivative(kSplines[a], 0), {1, 0, 0, 0});
  return out;
}

/// out += factor · a ⊗ b for square matrices.
void add_product(double factor, const std::vector<double>& a, const std::vector<double>& b,
                 std::vector<double>& out) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(a.size()))));
  const auto m = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(b.size()))));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double x = factor * a[i * n + j];
      if (x == 0) continue;
      for (std::size_t k = 0; k < m; ++k)
        for (std::size_t l = 0; l < m; ++l) out[((i * m + k) * n + j) * m + l] += x * b[k * m + l];
    }
}

void add_roughness(const std::vector<Axis>& axes, SmoothBasis& basis) {
  basis.roughness.assign(basis.functions * basis.functions, 0.0);
  if (axes.size() == 1) {
    basis.roughness = gram(axes[0], 3);
    return;
  }
  for (const auto& [order, factor] : {std::pair{0, 1.0}, {1, 3.0}, {2, 3.0}, {3, 1.0}})
    add_product(factor, gram(axes[0], 3 - order), gram(axes[1], order), basis.roughness);
}

void add_spread(const std::vector<Axis>& axes, SmoothBasis& basis) {
  const std::size_t m = basis.functions;
  std::vector<double> mean{1.0};
  basis.spread = {1.0};
  for (const auto& axis : axes) {
    const auto of_axis = integrals(axis);
    std::vector<double> next, square(basis.spread.size() * of_axis.size() * of_axis.size(), 0.0);
    for (const double a : mean)
      for (const double b : of_axis) next.push_back(a * b);
    add_product(1, basis.spread, gram(axis, 0), square);
    mean = std::move(next), basis.spread = std::move(square);
  }
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < m; ++j) basis.spread[i * m + j] -= mean[i] * mean[j];
}

}  // namespace

SmoothBasis make_smooth_basis(std::span<const std::size_t> nodes, std::size_t intervals) {
  if (nodes.empty() || nodes.size() > 2) fail("a population is fitted along one or two variables");
  std::vector<Axis> axes;
  for (const auto n : nodes) {
    if (n < 4) fail("a population needs a grid of at least 4 points, not {}", n);
    axes.push_back({n, std::clamp<std::size_t>(intervals, 1, n - 1)});
  }
  SmoothBasis basis;
  const Axis &first = axes.front(), &last = axes.back();
  const std::size_t rows = axes.size() == 2 ? first.nodes : 1;
  basis.nodes = rows * last.nodes;
  basis.functions = (axes.size() == 2 ? first.functions() : 1) * last.functions();
  basis.support = axes.size() == 2 ? kPieces * kPieces : kPieces;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < last.nodes; ++j) {
      double u[kPieces] = {1, 0, 0, 0}, v[kPieces];
      const auto from = axes.size() == 2 ? first.at(i, u) : 0, to = last.at(j, v);
      for (std::size_t a = 0; a < basis.support / kPieces; ++a)
        for (std::size_t b = 0; b < kPieces; ++b) {
          basis.function.push_back(static_cast<std::uint32_t>((from + a) * last.functions() + to + b));
          basis.value.push_back(u[a] * v[b]);
        }
      basis.cell.push_back((axes.size() == 2 ? first.cell(i) : 1.0) * last.cell(j));
    }
  add_roughness(axes, basis);
  add_spread(axes, basis);
  return basis;
}

}  // namespace cryoscape::inference
