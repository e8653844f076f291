#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace cryoscape::landscape {

/// What the error bars of a free energy hold, `bars` in landscape.json: a bootstrap over particles as one
/// decoder sees them, or also the spread of decoders that learned from independent halves.
inline constexpr const char *kGivenDecoder = "given the decoder", *kWithHalfSets = "with half-set decoders";

/// Adds the spread of two decoders (decoder_variance) to the error bars of an entry of landscape.json's
/// free_energy, one of source "likelihood" with bars "given the decoder", by the entry of the same variable
/// and nodes in the landscape.json of the run of the other half-set: to errors and intervals of the energy,
/// of basins' populations and of barriers, with the square root of what was added as `decoder_error` beside
/// them. Basins are matched in the order of their positions. What cannot be compared keeps its bars, and a
/// warning, which is the entry's `bars_notice`, says why.
void add_half_run(nlohmann::json& entry, const std::filesystem::path& other_run);

}  // namespace cryoscape::landscape
