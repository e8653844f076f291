#include "cryoscape/geometry/symmetry.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numbers>

#include "cryoscape/util/error.hpp"

namespace cryoscape::geometry {
namespace {

constexpr double kSame =
    1e-3;  ///< axes are known to six digits and more, rotations of one group differ by far more
constexpr std::size_t kLargest = 2 * 99;

/// An axis and its order.
struct Axis {
  int order;
  Vec3 direction;
};

Mat3 turn(const Axis& axis) {
  const auto& d = axis.direction;
  const double length = std::hypot(d[0], d[1], d[2]), angle = 2 * std::numbers::pi / axis.order;
  return rotation_from_axis_angle({d[0] / length * angle, d[1] / length * angle, d[2] / length * angle});
}

bool same(const Mat3& a, const Mat3& b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](double x, double y) { return std::abs(x - y) < kSame; });
}

/// Every product of the generators' powers.
std::vector<Mat3> closure(const std::vector<Axis>& axes) {
  std::vector<Mat3> group{{1, 0, 0, 0, 1, 0, 0, 0, 1}};
  for (std::size_t i = 0; i < group.size(); ++i)
    for (const auto& axis : axes) {
      const auto product = multiply(turn(axis), group[i]);
      if (std::none_of(group.begin(), group.end(), [&](const Mat3& g) { return same(g, product); }))
        group.push_back(product);
      if (group.size() > kLargest) fail("axes of a point group do not close");
    }
  return group;
}

constexpr double kGolden = std::numbers::phi;

/// Axes that generate a group; none for an unknown symbol.
std::vector<Axis> generators(const std::string& symbol) {
  const Vec3 x{1, 0, 0}, z{0, 0, 1};
  const bool numbered =
      symbol.size() > 1 && symbol.size() < 4 &&
      std::all_of(symbol.begin() + 1, symbol.end(), [](unsigned char c) { return std::isdigit(c); });
  const int n = numbered ? std::stoi(symbol.substr(1)) : 0;
  if (symbol[0] == 'C' && n >= 1) return {{n, z}};
  if (symbol[0] == 'D' && n >= 2) return {{n, z}, {2, x}};
  if (symbol == "T") return {{3, z}, {2, {0, std::sqrt(2.0 / 3), std::sqrt(1.0 / 3)}}};
  if (symbol == "O") return {{3, {1, 1, 1}}, {4, z}};
  if (symbol == "I" || symbol == "I2") return {{2, z}, {5, {1, 0, kGolden}}, {3, {0, 1, kGolden * kGolden}}};
  if (symbol == "I1") return {{2, x}, {5, {kGolden, 0, -1}}, {3, {kGolden * kGolden, 1, 0}}};
  if (symbol == "I3") return {{2, {-1, 0, kGolden}}, {5, z}};
  if (symbol == "I4") return {{2, {1, 0, kGolden}}, {5, z}};
  return {};
}

}  // namespace

std::vector<Mat3> point_group(const std::string& symbol) {
  std::string upper = symbol;
  for (auto& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto axes = upper.empty() ? std::vector<Axis>{} : generators(upper);
  if (axes.empty())
    fail("'{}' is no point group: give C1, C2 ..., D2, D3 ..., T, O, I, I1, I2, I3 or I4", symbol);
  return closure(axes);
}

}  // namespace cryoscape::geometry
