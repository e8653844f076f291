#pragma once
#include <span>
#include <string>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/test_files.hpp"
#include "cryoscape/util/random.hpp"

/// Hand-made stacks and particle sets for the tests of preprocessing and loader.
namespace cryoscape::particles {

inline std::vector<float> white_noise(int box, std::uint64_t seed, double mean = 0, double deviation = 1) {
  Philox random(seed);
  std::vector<float> image(static_cast<std::size_t>(box) * box);
  for (auto& x : image) x = static_cast<float>(mean + deviation * random.normal());
  return image;
}

/// Writes images into `folder`/`name` and returns a set of one optics group with one particle per image.
inline ParticleSet set_of(const std::filesystem::path& folder, const std::string& name, int box,
                          double pixel_size, const std::vector<std::vector<float>>& images) {
  io::StackWriter writer(folder / name, box, pixel_size);
  for (const auto& image : images) writer.append(image);
  writer.close();
  ParticleSet set;
  set.stacks = {folder / name};
  set.stack_names = {name};
  optics::OpticsGroup group;
  group.box = box, group.pixel_size = pixel_size;
  set.optics_groups = {group};
  for (std::uint32_t i = 0; i < images.size(); ++i) {
    Particle p;
    p.slice = i;
    p.rotation = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    p.ctf.defocus_u = p.ctf.defocus_v = 10000.0f + 100.0f * static_cast<float>(i);
    set.particles.push_back(p);
    set.rows.push_back(10 + i);
  }
  return set;
}

}  // namespace cryoscape::particles
