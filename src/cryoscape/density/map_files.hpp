#pragma once
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/targets.hpp"

namespace cryoscape::density {

/// Where a run's maps go and what they have in common.
struct MapFolder {
  const training::Run* run = nullptr;
  particles::ImageGrid grid;
  std::filesystem::path path;
  std::vector<float> mask;
};

/// Half-maps of a target, with what is known of the particles behind them.
struct TargetMaps {
  std::array<std::vector<float>, 2> halves;  ///< (D, D, D), unfiltered
  nlohmann::ordered_json record;             ///< goes into density.json
};

/// Filters, compares and writes one target's maps and model; returns its entry of density.json, with its FSC
/// curves.
nlohmann::ordered_json write_target(const MapFolder& folder, const Target& target, TargetMaps maps);

/// Writes fsc.star and maps.cxc of all targets.
void write_summaries(const MapFolder& folder, const nlohmann::ordered_json& targets);

/// Removes the files that an earlier density.json lists.
void remove_earlier(const std::filesystem::path& folder);

}  // namespace cryoscape::density
