#include "cryoscape/density/reconstruction.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

using Complex = std::complex<float>;

constexpr double kFloor = 1e-3;

/// Shell of the images' grid of a point at a squared distance from the origin.
std::size_t shell_of(int square) {
  return static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(square)) / kPadding));
}

Sample sum_at(std::span<const Accumulator* const> sums, std::size_t at) {
  Sample total;
  for (const auto* s : sums) {
    const auto& v = s->voxels[at];
    total.real += v.real, total.imaginary += v.imaginary, total.weight += v.weight;
  }
  return total;
}

/// Calls body(x, y, index into the accumulator, squared radius) for the points of plane z inside the sphere.
template <class Body>
void for_points(const Accumulator& sums, int z, Body&& body) {
  const int radius = sums.box;
  for (int y = -radius + 1; y < radius; ++y)
    for (int x = -radius + 1; x < radius; ++x) {
      const int square = x * x + y * y + z * z;
      if (square < radius * radius) body(x, y, sums.index(x, y, z), square);
    }
}

/// Mean weights of blocks of the grid. Every single weight fluctuates with the few samples around its point:
/// a filter made of those would mix what lies outside the box, where interpolation has left as much noise,
/// into the map.
class NearbyWeights {
 public:
  explicit NearbyWeights(std::span<const Accumulator* const> sums)
      : centre_(sums[0]->centre), side_(sums[0]->side / kBlock + 1), planes_(sums[0]->planes / kBlock + 1) {
    means_.assign(static_cast<std::size_t>(planes_) * side_ * side_, 0);
    parallel_for(static_cast<std::size_t>(planes_), [&](std::size_t block) {
      std::vector<int> points(static_cast<std::size_t>(side_) * side_);
      double* const means = means_.data() + block * points.size();
      const int first = static_cast<int>(block) * kBlock, radius = sums[0]->box;
      for (int z = first; z < std::min(first + kBlock, radius); ++z)
        for_points(*sums[0], z, [&](int x, int y, std::size_t at, int) {
          const auto b = column(x, y);
          means[b] += sum_at(sums, at).weight, ++points[b];
        });
      for (std::size_t b = 0; b < points.size(); ++b) means[b] /= std::max(1, points[b]);
    });
  }
  double at(int x, int y, int z) const {
    return means_[static_cast<std::size_t>(z / kBlock) * side_ * side_ + column(x, y)];
  }

 private:
  static constexpr int kBlock = 4;

  std::size_t column(int x, int y) const {
    return static_cast<std::size_t>((y + centre_) / kBlock) * side_ + (x + centre_) / kBlock;
  }

  int centre_, side_, planes_;
  std::vector<double> means_;
};

/// What turns sums into an estimate of the transform.
struct Estimator {
  std::span<const Accumulator* const> sums;
  std::span<const double> noise_to_signal;
  std::vector<double> shell_weights;
  NearbyWeights nearby;

  Complex at(int x, int y, int z, std::size_t index, int square) const {
    const auto v = sum_at(sums, index);
    const auto shell = shell_of(square);
    const double mean = shell_weights[shell], weight = v.weight + kFloor * mean, near = nearby.at(x, y, z);
    if (weight <= 0 || near <= 0) return 0;
    const double n = noise_to_signal[shell];
    const auto scale = static_cast<float>((1 + n) / (1 + n * mean / near) / weight);
    return {scale * v.real, scale * v.imaginary};
  }
};

/// Plane z of the estimated transform, in FFT order, side² coefficients.
void fill_plane(const Estimator& estimator, int z, std::vector<Complex>& plane) {
  const int side = kPadding * estimator.sums[0]->box;
  std::fill(plane.begin(), plane.end(), Complex(0));
  for_points(*estimator.sums[0], z, [&](int x, int y, std::size_t at, int square) {
    plane[static_cast<std::size_t>((y + side) % side) * side + (x + side) % side] =
        estimator.at(x, y, z, at, square);
  });
}

/// 1/sinc² over the padded box, by coordinate.
std::vector<float> gridding_correction(int box) {
  std::vector<float> out(box);
  for (int i = 0; i < box; ++i) {
    const double x = std::numbers::pi * (i - box / 2) / (kPadding * box), sinc = x == 0 ? 1 : std::sin(x) / x;
    out[i] = static_cast<float>(1 / (sinc * sinc));
  }
  return out;
}

/// The middle of the planes' transforms: (planes, y, x) in the order of the map.
std::vector<Complex> transform_planes(const Estimator& estimator) {
  const int box = estimator.sums[0]->box, side = kPadding * box;
  const std::size_t area = static_cast<std::size_t>(box) * box;
  std::vector<Complex> middle(static_cast<std::size_t>(side / 2 + 1) * area);
  parallel_ranges(box, [&](std::size_t begin, std::size_t end) {
    std::vector<Complex> plane(static_cast<std::size_t>(side) * side);
    for (std::size_t z = begin; z < end; ++z) {
      throw_if_interrupted();
      fill_plane(estimator, static_cast<int>(z), plane);
      optics::inverse_plane(side, plane.data());
      for (int y = 0; y < box; ++y)
        for (int x = 0; x < box; ++x)
          middle[z * area + static_cast<std::size_t>(y) * box + x] =
              plane[static_cast<std::size_t>((y - box / 2 + side) % side) * side +
                    (x - box / 2 + side) % side];
    }
  });
  return middle;
}

}  // namespace

std::vector<double> shell_weights(std::span<const Accumulator* const> sums) {
  const int box = sums[0]->box, shells = box / 2 + 1;
  std::vector<std::vector<double>> weight(box, std::vector<double>(shells)), count(weight);
  parallel_for(static_cast<std::size_t>(box), [&](std::size_t z) {
    for_points(*sums[0], static_cast<int>(z), [&](int, int, std::size_t at, int square) {
      const auto shell = shell_of(square);
      const double points = z == 0 ? 1 : 2;
      weight[z][shell] += points * sum_at(sums, at).weight, count[z][shell] += points;
    });
  });
  std::vector<double> mean(shells);
  for (int s = 0; s < shells; ++s) {
    double total = 0, points = 0;
    for (int z = 0; z < box; ++z) total += weight[z][s], points += count[z][s];
    mean[s] = points > 0 ? total / points : 0;
  }
  return mean;
}

std::vector<float> reconstruct(std::span<const Accumulator* const> sums,
                               std::span<const double> noise_to_signal) {
  const int box = sums[0]->box, side = kPadding * box;
  const std::size_t d = box, area = d * d, depth = side / 2 + 1;
  const auto middle = transform_planes({sums, noise_to_signal, shell_weights(sums), NearbyWeights(sums)});
  const auto correction = gridding_correction(box);
  const double scale = 1 / std::pow(static_cast<double>(side), 3);
  std::vector<float> map(d * area);
  parallel_ranges(d, [&](std::size_t begin, std::size_t end) {
    std::vector<Complex> rows(depth * d);
    std::vector<float> values(static_cast<std::size_t>(side) * d);
    for (std::size_t y = begin; y < end; ++y) {
      for (std::size_t z = 0; z < depth; ++z)
        std::copy_n(middle.data() + z * area + y * d, d, rows.data() + z * d);
      optics::inverse_columns(side, box, rows.data(), values.data());
      for (std::size_t z = 0; z < d; ++z) {
        const float* row = values.data() + (z + d / 2 * 3) % (2 * d) * d;
        const auto factor = static_cast<float>(scale * correction[z] * correction[y]);
        for (std::size_t x = 0; x < d; ++x) map[z * area + y * d + x] = factor * correction[x] * row[x];
      }
    }
  });
  return map;
}

std::vector<float> unfiltered_map(const Accumulator& sums) {
  const Accumulator* only[] = {&sums};
  return reconstruct(only, std::vector<double>(static_cast<std::size_t>(sums.box / 2 + 1), 0.0));
}

std::vector<double> noise_to_signal(std::span<const double> half_map_fsc, double least) {
  std::vector<double> ratio;
  for (const double h : half_map_fsc) {
    const double half = std::max(h, 0.0), whole = std::clamp(2 * half / (1 + half), least, 1.0);
    ratio.push_back((1 - whole) / whole);
  }
  return ratio;
}

}  // namespace cryoscape::density
