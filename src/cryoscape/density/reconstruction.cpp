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
constexpr double kLargestFsc = 1 - 1e-6;

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

/// Plane z of the estimated transform, in FFT order, side² coefficients.
void fill_plane(std::span<const Accumulator* const> sums, std::span<const double> added, int z,
                std::vector<Complex>& plane) {
  const int side = kPadding * sums[0]->box;
  std::fill(plane.begin(), plane.end(), Complex(0));
  for_points(*sums[0], z, [&](int x, int y, std::size_t at, int square) {
    // Interpolated, it would weigh a shell's coefficients by their radius where the FSC drops or is noisy.
    const auto shell = shell_of(square);
    const auto v = sum_at(sums, at);
    const double weight = v.weight + added[shell];
    if (weight <= 0) return;
    const auto scale = static_cast<float>(1 / weight);
    plane[static_cast<std::size_t>((y + side) % side) * side + (x + side) % side] = {scale * v.real,
                                                                                     scale * v.imaginary};
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
std::vector<Complex> transform_planes(std::span<const Accumulator* const> sums,
                                      std::span<const double> added) {
  const int box = sums[0]->box, side = kPadding * box;
  const std::size_t area = static_cast<std::size_t>(box) * box;
  std::vector<Complex> middle(static_cast<std::size_t>(side / 2 + 1) * area);
  parallel_ranges(box, [&](std::size_t begin, std::size_t end) {
    std::vector<Complex> plane(static_cast<std::size_t>(side) * side);
    for (std::size_t z = begin; z < end; ++z) {
      throw_if_interrupted();
      fill_plane(sums, added, static_cast<int>(z), plane);
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

std::vector<float> reconstruct(std::span<const Accumulator* const> sums, std::span<const double> added) {
  const int box = sums[0]->box, side = kPadding * box;
  const std::size_t d = box, area = d * d, depth = side / 2 + 1;
  const auto middle = transform_planes(sums, added);
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

std::vector<double> unfiltered(std::span<const double> shell_weights) {
  std::vector<double> added(shell_weights.begin(), shell_weights.end());
  for (double& w : added) w *= kFloor;
  return added;
}

std::vector<double> wiener(std::span<const double> shell_weights, std::span<const double> half_map_fsc,
                           double least) {
  std::vector<double> added(shell_weights.size());
  for (std::size_t s = 0; s < added.size(); ++s) {
    const double half = std::clamp(half_map_fsc[s], 0.0, kLargestFsc);
    const double fsc = std::clamp(2 * half / (1 + half), least, kLargestFsc);
    added[s] = shell_weights[s] * (1 - fsc) / fsc;
  }
  return added;
}

}  // namespace cryoscape::density
