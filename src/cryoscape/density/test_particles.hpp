#pragma once
#include <array>
#include <cmath>
#include <complex>
#include <filesystem>
#include <numbers>
#include <vector>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/test_stacks.hpp"

/// For this room's tests: Gaussians whose map, projections and transform are known exactly; lengths in
/// voxels.
namespace cryoscape::density {

struct Gaussians {
  double sigma = 1.5;
  std::vector<geometry::Vec3> centres;
  std::vector<double> amplitudes;

  double profile(double square, int dimensions) const {
    return std::exp(-0.5 * square / (sigma * sigma)) /
           std::pow(2 * std::numbers::pi * sigma * sigma, 0.5 * dimensions);
  }
  std::vector<float> map(int box) const {
    std::vector<float> out;
    for (int z = 0; z < box; ++z)
      for (int y = 0; y < box; ++y)
        for (int x = 0; x < box; ++x) {
          double sum = 0;
          for (std::size_t n = 0; n < centres.size(); ++n)
            sum += amplitudes[n] * profile(std::pow(x - box / 2 - centres[n][0], 2) +
                                               std::pow(y - box / 2 - centres[n][1], 2) +
                                               std::pow(z - box / 2 - centres[n][2], 2),
                                           3);
          out.push_back(static_cast<float>(sum));
        }
    return out;
  }
  /// Projection along z of the frame turned by `rotation`, moved by −shift.
  std::vector<float> projection(int box, const std::array<float, 9>& rotation, double shift_x,
                                double shift_y) const {
    std::vector<float> out(static_cast<std::size_t>(box) * box);
    for (std::size_t n = 0; n < centres.size(); ++n) {
      double p[2] = {box / 2 - shift_x, box / 2 - shift_y};
      for (int a = 0; a < 2; ++a)
        for (int c = 0; c < 3; ++c) p[a] += rotation[3 * a + c] * centres[n][c];
      for (int y = 0; y < box; ++y)
        for (int x = 0; x < box; ++x)
          out[static_cast<std::size_t>(y) * box + x] +=
              static_cast<float>(amplitudes[n] * profile(std::pow(x - p[0], 2) + std::pow(y - p[1], 2), 2));
    }
    return out;
  }
  /// Transform at k/box, the origin at the centre.
  std::complex<double> transform(const geometry::Vec3& k, int box) const {
    const double step = 2 * std::numbers::pi / box,
                 square = step * step * (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
    std::complex<double> sum;
    for (std::size_t n = 0; n < centres.size(); ++n)
      sum += amplitudes[n] * std::exp(-0.5 * sigma * sigma * square) *
             std::polar(1.0, -step * (k[0] * centres[n][0] + k[1] * centres[n][1] + k[2] * centres[n][2]));
    return sum;
  }
};

/// Gaussians without symmetry within a radius.
inline Gaussians random_gaussians(int count, double radius, std::uint64_t seed) {
  Philox random(seed);
  Gaussians out;
  while (static_cast<int>(out.centres.size()) < count) {
    geometry::Vec3 x;
    double square = 0;
    for (double& c : x) c = radius * (2 * random.uniform() - 1), square += c * c;
    if (square > radius * radius || (x[0] > 0 && x[1] > 0 && x[2] > 0)) continue;
    out.centres.push_back(x);
    out.amplitudes.push_back(0.5 + random.uniform());
  }
  return out;
}

inline std::array<float, 9> random_turn(Philox& random) {
  const auto r = geometry::random_rotation(random);
  std::array<float, 9> out;
  std::copy(r.begin(), r.end(), out.begin());
  return out;
}

/// Particles of Gaussians with CTFs, shifts (voxels; pixels of 2 Å) and noise of a standard deviation, as a
/// set whose half-sets alternate.
inline particles::ParticleSet simulated_set(const std::filesystem::path& folder, const Gaussians& truth,
                                            int box, int count, double noise, std::uint64_t seed = 1) {
  constexpr double kPixel = 2;
  Philox random(seed);
  std::vector<std::vector<float>> images(count, std::vector<float>(static_cast<std::size_t>(box) * box));
  auto set = particles::set_of(folder, "p.mrcs", box, kPixel, images);
  std::vector<float> ctf(optics::half_size(box));
  for (int i = 0; i < count; ++i) {
    auto& p = set.particles[i];
    p.rotation = random_turn(random);
    p.shift = {static_cast<float>(2 * random.normal()), static_cast<float>(2 * random.normal())};
    p.ctf.defocus_u = static_cast<float>(8000 + 12000 * random.uniform());
    p.ctf.defocus_v = p.ctf.defocus_u - 300;
    p.half = static_cast<std::int8_t>(1 + i % 2);
    images[i] = truth.projection(box, p.rotation, p.shift[0] / kPixel, p.shift[1] / kPixel);
    optics::evaluate_ctf(set.optics_groups[0], p.ctf, box, kPixel, ctf);
    optics::apply_filter(box, images[i].data(), ctf.data());
    for (auto& v : images[i]) v += static_cast<float>(noise * random.normal());
  }
  io::StackWriter writer(folder / "p.mrcs", box, kPixel);
  for (const auto& image : images) writer.append(image);
  writer.close();
  return set;
}

}  // namespace cryoscape::density
