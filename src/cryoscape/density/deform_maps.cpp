#include "cryoscape/density/deform_maps.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "cryoscape/density/curved_projection.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/slice_pass.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr std::size_t kFieldBytes = std::size_t{64} << 20;  ///< of fields held at once
constexpr std::size_t kFoldSample = 100;                    ///< particles

std::vector<float> difference(std::span<const float> to, std::span<const float> from) {
  std::vector<float> out(to.begin(), to.end());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= from[i];
  return out;
}

/// Images with the fields that lead from every target to their particles' conformations.
struct BentGroup {
  ImageGroup images;
  std::vector<float> projected;           ///< (N, 2, kGroup)
  std::vector<std::vector<float>> nodes;  ///< by target: (nodes, 2, kGroup)
};

struct Scene {
  const particles::ImageGrid& grid;
  std::span<const std::vector<float>> targets;
  std::vector<DisplacementField> fields;
};

/// Fields of a group whose first particles have `conformations` (count, 3N); the others' are 0.
void bend(const Scene& scene, std::span<const float> conformations, BentGroup& group) {
  const auto length = scene.targets[0].size();
  group.nodes.resize(scene.targets.size());
  for (std::size_t t = 0; t < scene.targets.size(); ++t) {
    group.projected.assign(length / 3 * 2 * kGroup, 0.0f);
    for (std::size_t k = 0; k < conformations.size() / length; ++k)
      project_displacements(group.images, k, scene.grid.pixel_size,
                            difference(conformations.subspan(k * length, length), scene.targets[t]),
                            group.projected);
    group.nodes[t].resize(2 * kGroup * scene.fields[t].nodes());
    scene.fields[t].spread(group.projected, 2 * kGroup, group.nodes[t]);
  }
}

/// Adds images to the maps of all targets, in order whatever the number of threads.
void add_all(const Scene& scene, std::span<const BentGroup> groups, std::vector<std::vector<float>*>& maps) {
  const int box = scene.grid.box;
  std::atomic<int> next{0};
  parallel_for(static_cast<std::size_t>(thread_count()), [&](std::size_t) {
    for (int z; (z = next.fetch_add(1)) < box;)
      for (std::size_t t = 0; t < maps.size(); ++t)
        for (const auto& group : groups)
          add_curved(group.images, scene.fields[t], group.nodes[t], z, z + 1, *maps[t]);
  });
}

std::size_t groups_at_once(const Scene& scene) {
  std::size_t bytes = 0;
  for (const auto& field : scene.fields) bytes += 2 * kGroup * sizeof(float) * field.nodes();
  return std::clamp<std::size_t>(kFieldBytes / bytes, 2, 8);
}

/// Back-projects the slices of a chunk, `groups` at a time.
void add_chunk(const Scene& scene, const BackProjectionFilter& filter, const SliceChunk& chunk,
               std::span<const float> conformations, std::vector<BentGroup>& groups,
               std::vector<std::vector<float>*>& maps) {
  const std::size_t length = scene.targets[0].size(), at_once = groups.size() * kGroup;
  for (std::size_t begin = 0; begin < chunk.slices.size(); begin += at_once) {
    const auto count = std::min(at_once, chunk.slices.size() - begin);
    const std::size_t filled = (count + kGroup - 1) / kGroup;
    parallel_for(filled, [&](std::size_t g) {
      const auto first = begin + g * kGroup, own = std::min<std::size_t>(kGroup, begin + count - first);
      for (std::size_t k = 0; k < own; ++k) filter.apply(*chunk.slices[first + k], groups[g].images, k);
      groups[g].images.clear_from(own);
      bend(scene, conformations.subspan(first * length, own * length), groups[g]);
    });
    add_all(scene, std::span(groups).first(filled), maps);
  }
}

void deform_half(const Scene& scene, const HalfSource& half, io::StackReader& reader,
                 std::vector<std::vector<float>*> maps) {
  const std::vector<float> equal(half.members.size(), 1.0f);
  const BackProjectionFilter filter(back_project_weighted(*half.set, reader, scene.grid, half.noise_power,
                                                          half.members, equal, "weights of the images"));
  std::vector<BentGroup> groups(groups_at_once(scene), {ImageGroup(scene.grid.box), {}, {}});
  pass_slices(*half.set, reader, scene.grid, half.noise_power, half.members, "bending rays",
              [&](const SliceChunk& chunk) {
                add_chunk(scene, filter, chunk, half.conformations(chunk.particles), groups, maps);
              });
}

double folded_share(const Scene& scene, const HalfSource& half, std::size_t target) {
  std::vector<std::uint32_t> sample;
  const auto step = std::max<std::size_t>(1, half.members.size() / kFoldSample);
  for (std::size_t m = 0; m < half.members.size(); m += step) sample.push_back(half.members[m]);
  const auto conformations = half.conformations(sample);
  const std::size_t length = scene.targets[target].size();
  std::vector<double> shares(sample.size());
  parallel_for(sample.size(), [&](std::size_t i) {
    shares[i] = scene.fields[target].folded(
        difference(std::span(conformations).subspan(i * length, length), scene.targets[target]));
  });
  double sum = 0;
  for (const double s : shares) sum += s;
  return sum / static_cast<double>(shares.size());
}

}  // namespace

DeformMaps deform_half_maps(const std::array<HalfSource, 2>& halves, io::StackReader& reader,
                            const particles::ImageGrid& grid, std::span<const std::vector<float>> targets,
                            double width) {
  Scene scene{grid, targets, {}};
  for (const auto& target : targets) scene.fields.emplace_back(grid.box, grid.pixel_size, target, width);
  DeformMaps out;
  out.halves.resize(targets.size());
  for (std::size_t h = 0; h < 2; ++h) {
    std::vector<std::vector<float>*> maps;
    for (auto& both : out.halves) {
      both[h].assign(static_cast<std::size_t>(grid.box) * grid.box * grid.box, 0.0f);
      maps.push_back(&both[h]);
    }
    deform_half(scene, halves[h], reader, maps);
    for (auto* map : maps) clear_corners(grid.box, *map);
  }
  for (std::size_t t = 0; t < targets.size(); ++t) out.folded.push_back(folded_share(scene, halves[0], t));
  return out;
}

double deform_bytes(int box, double pixel_size, double width, std::size_t targets) {
  const DisplacementField empty(box, pixel_size, {}, width);
  const double field = 2.0 * kGroup * sizeof(float) * static_cast<double>(empty.nodes() * targets),
               groups = std::clamp(static_cast<double>(kFieldBytes) / field, 2.0, 8.0),
               images = kGroup * 16.0 * box * box;
  return static_cast<double>(targets) * 8.0 * box * box * box + groups * (field + images);
}

}  // namespace cryoscape::density
