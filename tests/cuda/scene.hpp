#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "cryoscape/projection/spec.hpp"
#include "cryoscape/structure/cuda/restraint_arrays.hpp"
#include "cryoscape/util/random.hpp"

/// Random input for the kernels, and what they compute as plain loops in double precision.
namespace cryoscape::kernel_check {

/// Beads of a batch, each particle seen from a random direction.
struct Scene {
  projection::ProjectionSpec spec;
  int batch, beads;
  std::vector<float> amplitudes, coordinates, rotations, shifts;

  Scene(projection::ProjectionSpec given, int size, int count, std::uint64_t seed)
      : spec(given), batch(size), beads(count) {
    Philox random(seed);
    for (int n = 0; n < beads; ++n) amplitudes.push_back(20 + 60 * static_cast<float>(random.uniform()));
    const double spread = 0.18 * spec.box * spec.pixel_size;
    for (int i = 0; i < 3 * beads * batch; ++i)
      coordinates.push_back(static_cast<float>(spread * random.normal()));
    for (int b = 0; b < batch; ++b) {
      add_rotation(random);
      for (int k = 0; k < 2; ++k) shifts.push_back(static_cast<float>(3 * random.normal()));
    }
  }

 private:
  void add_rotation(Philox& random) {
    double q[4], length = 0;
    for (double& v : q) v = random.normal(), length += v * v;
    for (double& v : q) v /= std::sqrt(length);
    const double w = q[0], x = q[1], y = q[2], z = q[3];
    for (const double r : {1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
                           2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                           2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)})
      rotations.push_back(static_cast<float>(r));
  }
};

/// One bead of one particle in the image.
struct Placed {
  double x, y, weight, inverse_sigma2;
  int column, row, reach;
};

inline Placed place(const Scene& s, int b, int n) {
  const float *p = &s.coordinates[3 * (static_cast<std::size_t>(b) * s.beads + n)], *r = &s.rotations[9 * b];
  const auto along = [&](int axis) {
    const double rotated =
        double(r[3 * axis]) * p[0] + double(r[3 * axis + 1]) * p[1] + double(r[3 * axis + 2]) * p[2];
    return (rotated - s.shifts[2 * b + axis]) / s.spec.pixel_size + 0.5 * s.spec.box;
  };
  const double sigma = s.spec.sigma / s.spec.pixel_size, inverse = 1 / (sigma * sigma);
  Placed out{along(0),
             along(1),
             s.amplitudes[n] * inverse / (2 * 3.14159265358979323846),
             inverse,
             0,
             0,
             projection::window_reach(s.spec)};
  out.column = static_cast<int>(std::nearbyint(out.x));
  out.row = static_cast<int>(std::nearbyint(out.y));
  return out;
}

/// Calls visit(index of the pixel, Gaussian, offset along x, along y) for a bead's pixels.
template <class Visit>
void for_each_pixel(const Scene& s, const Placed& bead, Visit&& visit) {
  const int box = s.spec.box;
  for (int row = std::max(0, bead.row - bead.reach); row <= std::min(box - 1, bead.row + bead.reach); ++row)
    for (int column = std::max(0, bead.column - bead.reach);
         column <= std::min(box - 1, bead.column + bead.reach); ++column) {
      const double dx = column - bead.x, dy = row - bead.y;
      visit(static_cast<std::size_t>(row) * box + column,
            bead.weight * std::exp(-0.5 * bead.inverse_sigma2 * (dx * dx + dy * dy)), dx, dy);
    }
}

inline std::vector<double> drawn(const Scene& s) {
  const std::size_t pixels = static_cast<std::size_t>(s.spec.box) * s.spec.box;
  std::vector<double> images(pixels * s.batch);
  for (int b = 0; b < s.batch; ++b)
    for (int n = 0; n < s.beads; ++n)
      for_each_pixel(s, place(s, b, n),
                     [&](std::size_t i, double value, double, double) { images[pixels * b + i] += value; });
  return images;
}

inline std::vector<double> pulled(const Scene& s, const std::vector<float>& outer) {
  const std::size_t pixels = static_cast<std::size_t>(s.spec.box) * s.spec.box;
  std::vector<double> gradient(s.coordinates.size());
  for (int b = 0; b < s.batch; ++b)
    for (int n = 0; n < s.beads; ++n) {
      const auto bead = place(s, b, n);
      double x = 0, y = 0;
      for_each_pixel(s, bead, [&](std::size_t i, double value, double dx, double dy) {
        x += outer[pixels * b + i] * value * dx * bead.inverse_sigma2;
        y += outer[pixels * b + i] * value * dy * bead.inverse_sigma2;
      });
      for (int k = 0; k < 3; ++k)
        gradient[3 * (static_cast<std::size_t>(b) * s.beads + n) + k] =
            (s.rotations[9 * b + k] * x + s.rotations[9 * b + 3 + k] * y) / s.spec.pixel_size;
    }
  return gradient;
}

/// A folded chain: bonds between neighbours, edges within 12 Å (some let go), clashes below 4 Å of any two
/// but bonded ones; and a batch of structures near it.
struct Chain {
  int beads, batch;
  std::vector<float> reference, coordinates;
  std::vector<std::int32_t> start{0};
  std::vector<structure::cuda::Neighbour> neighbours;
  std::vector<structure::cuda::EdgePair> bonds, edges;
  std::vector<float> mask, radii;
  std::vector<std::int32_t> own_limit_start{0};
  std::vector<structure::cuda::OwnLimit> own_limits;
  static constexpr float kClash = 4;

  Chain(int count, int size, std::uint64_t seed) : beads(count), batch(size), radii(count, 0.5f * kClash) {
    Philox random(seed);
    fold(random);
    join(random);
    for (int b = 0; b < batch; ++b)
      for (const float v : reference) coordinates.push_back(v + 0.8f * static_cast<float>(random.normal()));
  }

  /// Energy of structure b; adds to gradient (N, 3), and to the edges' sums and sums of squares.
  double energy(int b, const structure::cuda::Stiffness& k, double* gradient, double* sum,
                double* square) const {
    const float* x = coordinates.data() + 3 * static_cast<std::size_t>(beads) * b;
    double total = 0;
    const auto act = [&](int i, int j, double stiffness, double off, double d) {
      total += stiffness * off * off;
      for (int c = 0; c < 3; ++c) {
        const double g = 2 * stiffness * off * (double(x[3 * i + c]) - x[3 * j + c]) / std::max(d, 1e-6);
        gradient[3 * i + c] += g;
        gradient[3 * j + c] -= g;
      }
    };
    for (const auto& p : bonds) {
      const double d = distance(x, p.i, p.j);
      act(p.i, p.j, k.bond, d - p.distance, d);
    }
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const double d = distance(x, edges[e].i, edges[e].j), off = d - edges[e].distance;
      act(edges[e].i, edges[e].j, k.edge * mask[e], off, d);
      sum[e] += off, square[e] += off * off;
    }
    for (int i = 0; i < beads; ++i)
      for (int j = i + 1; j < beads; ++j) {
        const double d = distance(x, i, j), overlap = (j == i + 1 ? 0 : kClash) - d;
        if (overlap > 0) act(i, j, k.clash, -overlap, d);
      }
    return total;
  }

 private:
  static double distance(const float* x, int i, int j) {
    return std::hypot(double(x[3 * i]) - x[3 * j], double(x[3 * i + 1]) - x[3 * j + 1],
                      double(x[3 * i + 2]) - x[3 * j + 2]);
  }

  /// Rows of beads 3.8 Å apart, to and fro through layers 6 Å apart: a protein's density of 1 per 137 Å³.
  void fold(Philox& random) {
    const int rows = std::max(1, static_cast<int>(std::cbrt(beads / 1.6))),
              row = (beads - 1) / (rows * rows) + 1;
    for (int i = 0; i < beads; ++i) {
      const int y = i / row % rows, z = i / row / rows, x = i / row % 2 ? row - 1 - i % row : i % row;
      for (const double v : {3.8 * x, 6.0 * (z % 2 ? rows - 1 - y : y), 6.0 * z})
        reference.push_back(static_cast<float>(v + 0.3 * random.normal()));
    }
  }

  void join(Philox& random) {
    std::vector<std::vector<structure::cuda::Neighbour>> partners(beads);
    const auto add = [&](int i, int j, float d, int edge) {
      partners[i].push_back({j, d, edge});
      partners[j].push_back({i, d, edge});
    };
    for (int i = 0; i < beads; ++i)
      for (int j = i + 1; j < beads; ++j) {
        const auto d = static_cast<float>(distance(reference.data(), i, j));
        if (j == i + 1) {
          bonds.push_back({i, j, d});
          add(i, j, d, -1);
        } else if (d < 12) {
          add(i, j, d, static_cast<int>(edges.size()));
          edges.push_back({i, j, d});
          mask.push_back(random.uniform() < 0.2 ? 0.0f : 1.0f);
        }
      }
    for (int i = 0; i < beads; ++i) {
      neighbours.insert(neighbours.end(), partners[i].begin(), partners[i].end());
      start.push_back(static_cast<std::int32_t>(neighbours.size()));
      if (i + 1 < beads) own_limits.push_back({i + 1, 0});
      own_limit_start.push_back(static_cast<std::int32_t>(own_limits.size()));
    }
  }
};

}  // namespace cryoscape::kernel_check
