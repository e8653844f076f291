#pragma once
#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::particles {

/// Smallest, middle and largest of some values.
struct Spread {
  double low = 0, median = 0, high = 0;
};

/// How the views of a set cover the sphere and Fourier space; a view and its opposite count as one.
struct PoseCoverage {
  std::size_t bins = 0;        ///< of about 10 degrees on the hemisphere
  std::size_t filled = 0;      ///< bins with at least one view
  double expected_filled = 0;  ///< the same for as many uniform views
  double largest_excess = 0;   ///< views in the fullest bin over its even share
  double least_sampled =
      0;  ///< slices through the least sampled direction of Fourier space over its even share
  double in_plane_filled = 0;  ///< fraction of 10-degree bins of psi that are filled
};

/// What a sample of images holds.
struct ImageSample {
  std::size_t read = 0;
  std::size_t unusable = 0;             ///< constant or not finite
  std::vector<std::uint32_t> bad_rows;  ///< 0-based rows of the first of them
  double mean = 0, deviation = 0;       ///< over all pixels of the usable ones
};

/// An optics group and its particles.
struct GroupSummary {
  optics::OpticsGroup optics;
  std::size_t particles = 0;
  std::vector<std::string> terms;  ///< of the optics beyond the plain CTF; all are applied
};

/// What a particle set holds, and what looks wrong.
struct Inspection {
  std::string source, format;
  std::size_t particles = 0, source_rows = 0;
  std::size_t stacks = 0, stacks_missing = 0;
  std::size_t repeated_images = 0;      ///< particles whose image an earlier one has
  std::array<std::size_t, 3> halves{};  ///< particles of unknown half-set, of half-set 1, of 2
  std::vector<GroupSummary> groups;
  Spread defocus, astigmatism;  ///< µm: mean of u and v; their difference
  Spread phase_shift;           ///< degrees
  Spread shift;                 ///< Å, length
  PoseCoverage poses;
  ImageSample images;
  std::vector<std::pair<std::string, std::string>> more;  ///< further rows of the table, from other checks
  std::vector<std::string> notes, warnings;
};

/// Summarises and checks a set; reads `sample` of its images, spread over the file (none where stacks are
/// missing). Throws Error if an image cannot be read.
Inspection inspect(const ParticleSet& set, std::size_t sample = 200);

PoseCoverage measure_coverage(const ParticleSet& set);

/// A table for people.
std::string inspection_text(const Inspection& inspection);
/// The same for programs.
nlohmann::ordered_json inspection_json(const Inspection& inspection);

}  // namespace cryoscape::particles
