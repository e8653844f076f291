#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"

/// The formats and steps behind read_particles.
namespace cryoscape::particles {

/// A particle file as parsed, before its stacks are looked for.
struct Parsed {
  ParticleSet set;
  bool shifts_in_pixels = false;  ///< shifts wait for the optics groups' pixel sizes
  std::vector<double>
      micrograph_pixel_size;  ///< Å, by optics group: what is left if nothing better is known; 0 unknown
  std::vector<std::uint64_t> uids;  ///< cryoSPARC's, by row; empty for STAR
};

/// Collects stack names as they appear, each once.
class StackIndex {
 public:
  explicit StackIndex(ParticleSet& set) : set_(set) {}
  std::uint32_t add(std::string_view name);

 private:
  ParticleSet& set_;
  std::uint32_t last_ = 0;
  std::unordered_map<std::string, std::uint32_t> index_;
};

/// An image's stack without ":mrcs" or ">", and its 0-based slice.
struct ImageName {
  std::string_view stack;
  std::uint32_t slice = 0;
};

/// Takes "000012@stack.mrcs", or the name of a file of one image, apart. Throws Error naming file and 0-based
/// `row`.
ImageName parse_image_name(std::string_view name, const std::filesystem::path& path, std::size_t row);

/// "000012@stack.mrcs".
std::string format_image_name(std::string_view stack, std::uint32_t slice);

/// Metadata only: poses, CTF, optics, image names. Stacks are not looked for.
Parsed read_relion(const std::filesystem::path& path);
/// Fields that the file lacks are looked for, by uid, in `passthrough`, or where that is empty in the files
/// beside it whose names contain "passthrough".
Parsed read_cryosparc(const std::filesystem::path& path,
                      const std::vector<std::filesystem::path>& passthrough);

/// Keeps the particles of a subset file and half-set, and the optics groups that have particles.
void select_particles(Parsed& parsed, const ReadOptions& options);

/// Finds every stack: in `dir`, the file's folder, its parents, the working folder. Takes box and pixel size
/// from the stacks where optics groups lack them, checks slices and sizes.
void locate_stacks(Parsed& parsed, const ReadOptions& options);

}  // namespace cryoscape::particles
