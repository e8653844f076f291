#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace cryoscape::simulation {

/// What a simulation knows about its particles (truth.star), column by column, in the order of
/// particles.star.
struct Truth {
  std::vector<std::string> image_name;  ///< "000001@particles.mrcs"
  std::vector<double> model;            ///< 1-based, fractional between models; 0 for junk
  std::vector<int> state;               ///< 1-based, 0 where none
  std::vector<bool> junk;
  std::vector<bool> wrong_molecule;  ///< junk that is another molecule, not noise
  std::vector<double> bound;  ///< Cramér–Rao standard deviation of the position s; NaN for junk and where
                              ///< there is one model only

  std::size_t size() const { return image_name.size(); }
};

/// Reads truth.star. Throws Error naming file and what is missing or wrong.
Truth read_truth(const std::filesystem::path& path);

/// Writes truth.star (block data_truth); beside and renamed.
void write_truth(const std::filesystem::path& path, const Truth& truth);

}  // namespace cryoscape::simulation
