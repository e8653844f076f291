#include "cryoscape/inference/smooth_basis.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace {

double form(const std::vector<double>& matrix, const std::vector<double>& c) {
  double sum = 0;
  for (std::size_t i = 0; i < c.size(); ++i)
    for (std::size_t j = 0; j < c.size(); ++j) sum += c[i] * matrix[i * c.size() + j] * c[j];
  return sum;
}

/// Spline coefficients of t^p, p ≤ 3, on an axis of n intervals: the polar form at the knots around each.
double coefficient(std::size_t j, std::size_t n, int power) {
  const double h = 1.0 / static_cast<double>(n), a = (static_cast<double>(j) - 2) * h, b = a + h, c = b + h;
  const double polar[] = {1, (a + b + c) / 3, (a * b + b * c + a * c) / 3, a * b * c};
  return polar[power];
}

TEST(SmoothBasis, CubicsAreExact) {
  const std::size_t nodes[] = {31};
  const auto basis = make_smooth_basis(nodes, 7);
  ASSERT_EQ(basis.functions, 10u);
  std::vector<double> cubic;
  for (std::size_t j = 0; j < 10; ++j) cubic.push_back(coefficient(j, 7, 3));
  for (std::size_t k = 0; k < 31; ++k) {
    double f = 0;
    for (std::size_t s = 4 * k; s < 4 * (k + 1); ++s) f += basis.value[s] * cubic[basis.function[s]];
    EXPECT_NEAR(f, std::pow(static_cast<double>(k) / 30, 3), 1e-12);
  }
  EXPECT_NEAR(form(basis.roughness, cubic), 36, 1e-6);                // (t³)‴ = 6
  EXPECT_NEAR(form(basis.spread, cubic), 1.0 / 7 - 1.0 / 16, 1e-12);  // ∫ t⁶ − (∫ t³)²
}

TEST(SmoothBasis, QuadraticsCostNothing) {
  for (const std::size_t second : {0u, 9u}) {
    std::vector<std::size_t> nodes{12};
    if (second) nodes.push_back(second);
    const auto basis = make_smooth_basis(nodes, 5);
    const std::size_t m = 8;
    for (const auto& [p, q] : {std::pair{0, 0}, {1, 0}, {2, 0}, {1, 1}, {0, 2}}) {
      if (!second && q > 0) continue;
      std::vector<double> c;
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < (second ? m : 1); ++j)
          c.push_back(coefficient(i, 5, p) * (second ? coefficient(j, 5, q) : 1));
      EXPECT_NEAR(form(basis.roughness, c), 0, 1e-8) << p << q;
    }
  }
}

TEST(SmoothBasis, TheMixedTermsOfTwoAxes) {
  const std::size_t nodes[] = {9, 11};
  const auto basis = make_smooth_basis(nodes, 4);
  std::vector<double> c;  // f = x² y: f_xxy = 2, which the penalty counts three times
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 7; ++j) c.push_back(coefficient(i, 4, 2) * coefficient(j, 4, 1));
  EXPECT_NEAR(form(basis.roughness, c), 12, 1e-9);
  double volume = 0;
  for (const double cell : basis.cell) volume += cell;
  EXPECT_NEAR(volume, 1, 1e-12);
}

TEST(SmoothBasis, TooFewNodesAreAnError) {
  const std::size_t nodes[] = {3};
  EXPECT_THROW(make_smooth_basis(nodes, 2), Error);
}

}  // namespace
}  // namespace cryoscape::inference
