#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "cryoscape/density/half_source.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/noise_power.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/io/mrc.hpp"

/// For this room's tests: particles of a molecule in motion.
namespace cryoscape::density {

inline constexpr int kMovingBox = 32;
inline constexpr double kMovingPixel = 2;

inline particles::ImageGrid moving_grid() {
  particles::ImageGrid out;
  out.box = kMovingBox, out.pixel_size = kMovingPixel, out.diameter = 54;
  return out;
}

/// Conformation g of a molecule whose upper half moves along x by g voxels.
inline Gaussians moved(const Gaussians& still, double g) {
  auto out = still;
  for (auto& x : out.centres)
    if (x[2] > 0) x[0] += g;
  return out;
}

inline std::vector<float> beads_of(const Gaussians& molecule) {
  std::vector<float> out;
  for (const auto& x : molecule.centres)
    for (const double c : x) out.push_back(static_cast<float>(kMovingPixel * c));
  return out;
}

inline double mean_of(const std::vector<double>& curve, int first, int last) {
  double sum = 0;
  for (int s = first; s < last; ++s) sum += curve[s];
  return sum / (last - first);
}

/// Particles of one molecule at displacements, back-projected as one half-set.
class MovingParticles : public testing::Test {
 protected:
  void simulate(int count, double noise, const std::function<double(int)>& displacement) {
    folder_ = particles::test_folder();
    still_ = random_gaussians(14, 8, 1);
    // Two halves apart, so that the field between them is steep but single-valued.
    for (auto& x : still_.centres) x[2] += x[2] > 0 ? 1 : -1;
    set_ = simulated_set(folder_, still_, kMovingBox, count, 0, 2);
    Philox random(5);
    std::vector<float> ctf(optics::half_size(kMovingBox));
    io::StackWriter writer(folder_ / "p.mrcs", kMovingBox, kMovingPixel);
    for (int i = 0; i < count; ++i) {
      const auto& p = set_.particles[i];
      displacement_.push_back(displacement(i));
      auto image = noise < 0 ? std::vector<float>(kMovingBox * kMovingBox)
                             : moved(still_, displacement_[i])
                                   .projection(kMovingBox, p.rotation, p.shift[0] / kMovingPixel,
                                               p.shift[1] / kMovingPixel);
      optics::evaluate_ctf(set_.optics_groups[0], p.ctf, kMovingBox, kMovingPixel, ctf);
      optics::apply_filter(kMovingBox, image.data(), ctf.data());
      for (auto& v : image) v += static_cast<float>(std::abs(noise) * random.normal());
      writer.append(image);
    }
    writer.close();
  }
  std::array<HalfSource, 2> halves() {
    io::StackReader reader;
    std::array<HalfSource, 2> out;
    for (int h = 0; h < 2; ++h) {
      out[h].set = &set_;
      out[h].noise_power = measure_noise_power(set_, reader, moving_grid());
      for (std::uint32_t i = 0; i < set_.size(); ++i)
        if (set_.particles[i].half == h + 1) out[h].members.push_back(i);
      out[h].conformations = [this](std::span<const std::uint32_t> rows) {
        std::vector<float> x;
        for (const auto i : rows) {
          const auto beads = beads_of(moved(still_, displacement_[i]));
          x.insert(x.end(), beads.begin(), beads.end());
        }
        return x;
      };
    }
    return out;
  }
  std::vector<float> plain(int half) {
    io::StackReader reader;
    const auto source = halves()[half];
    const std::vector<float> equal(source.members.size(), 1.0f);
    auto map = unfiltered_map(back_project_weighted(set_, reader, moving_grid(), source.noise_power,
                                                    source.members, equal, "plain"));
    clear_corners(kMovingBox, map);
    return map;
  }

  std::filesystem::path folder_;
  Gaussians still_;
  particles::ParticleSet set_;
  std::vector<double> displacement_;
};

}  // namespace cryoscape::density
