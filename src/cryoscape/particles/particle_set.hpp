#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/optics/ctf.hpp"

namespace cryoscape::particles {

/// One particle: where its image is, its pose and its CTF.
struct Particle {
  std::uint32_t stack = 0;
  std::uint32_t slice = 0;          ///< 0-based image in the stack
  std::array<float, 9> rotation{};  ///< A, row-major: p = A·x
  std::array<float, 2> shift{};     ///< Å; rlnOriginX/YAngst
  optics::CtfParameters ctf;
  std::uint16_t optics_group = 0;  ///< index into ParticleSet::optics_groups
  std::int8_t half = 0;            ///< 1 or 2; 0 where the file does not say
  float sign = 1;                  ///< factor on the image's values
};

/// The particles of a STAR or .cs file, or a subset of them, in the file's order.
struct ParticleSet {
  std::filesystem::path source;
  std::vector<Particle> particles;
  std::vector<std::uint32_t> rows;       ///< 0-based row of the file of each particle
  std::size_t source_rows = 0;           ///< rows of the file
  std::vector<std::string> stack_names;  ///< as the file writes them
  std::vector<std::filesystem::path>
      stacks;  ///< where they were found; empty where not, or where no particle of the set needs it
  std::vector<optics::OpticsGroup> optics_groups;
  std::vector<std::string> notes;  ///< one line each: what was assumed or is ignored
  std::string format;              ///< "RELION 3.0", "RELION 3.1 or later", "cryoSPARC"

  std::size_t size() const { return particles.size(); }
};

struct ReadOptions {
  std::optional<std::filesystem::path> dir;     ///< where relative image paths start
  std::optional<std::filesystem::path> subset;  ///< keep only these: STAR, .cs, or one 0-based row per line
  int half = 0;                                 ///< keep only half-set 1 or 2
  std::vector<std::filesystem::path>
      passthrough;              ///< .cs files joined by uid; empty: those beside the .cs file
  bool images_required = true;  ///< missing stacks are errors; otherwise notes
};

/// Reads RELION 3.0 (flat) and 3.1–5 STAR files and cryoSPARC .cs files with their passthrough files (joined
/// by uid). Throws Error, one line with file, row and what to do, for anything that would make the result
/// wrong: missing poses, CTF or pixel size, missing or short stacks, odd boxes, tomography.
ParticleSet read_particles(const std::filesystem::path& path, const ReadOptions& options);

/// "000001@stack.mrcs" of a particle, with the stack as the file writes it.
std::string image_name(const ParticleSet& set, std::size_t i);

}  // namespace cryoscape::particles
