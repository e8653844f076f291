#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <unordered_set>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/halves.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {
namespace fs = std::filesystem;

/// The particles that a STAR or .cs file names: by uid, or by image name.
struct Members {
  std::unordered_set<std::string> names;
  std::unordered_set<std::uint64_t> uids;
};

Members star_members(const fs::path& path) {
  Members members;
  int column = -1;
  io::StarVisitor visitor;
  visitor.table = [&](const io::StarTable& table) {
    const int c = table.column("rlnImageName");
    if (c >= 0) column = c;
    return c >= 0;
  };
  visitor.row = [&](const io::StarTable&, io::StarRow fields, std::size_t row) {
    const auto image = parse_image_name(fields[column], path, row);
    members.names.insert(format_image_name(image.stack, image.slice));
  };
  io::read_star(path, visitor);
  if (column < 0) fail("the subset {} has no column rlnImageName", path.string());
  return members;
}

Members cryosparc_members(const fs::path& path, bool by_uid) {
  Members members;
  const auto array = io::read_npy(path);
  const auto* uid = array.find("uid");
  if (by_uid && uid) {
    for (std::size_t i = 0; i < array.rows(); ++i) members.uids.insert(array.unsigned_integer(*uid, i));
    return members;
  }
  const auto *file = array.find("blob/path"), *index = array.find("blob/idx");
  if (!file || !index) fail("the subset {} has no blob/path and blob/idx", path.string());
  for (std::size_t i = 0; i < array.rows(); ++i) {
    const auto text = array.text(*file, i);
    members.names.insert(format_image_name(parse_image_name(text, path, i).stack,
                                           static_cast<std::uint32_t>(array.number(*index, i))));
  }
  return members;
}

std::vector<char> rows_of_text(const fs::path& path, std::size_t rows) {
  std::vector<char> keep(rows, 0);
  std::ifstream stream(path);
  if (!stream || !fs::is_regular_file(path)) fail("cannot open the subset {}", path.string());
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    const auto text = std::string_view(line).substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    std::size_t row = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), row);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || row >= rows)
      fail("{}:{}: '{}' is not a row from 0 to {}", path.string(), number, text, rows - 1);
    keep[row] = 1;
  }
  return keep;
}

/// Which rows of the source a subset file names.
std::vector<char> subset_rows(Parsed& parsed, const fs::path& path) {
  auto& set = parsed.set;
  const auto extension = path.extension().string();
  if (extension != ".star" && extension != ".cs") return rows_of_text(path, set.size());
  const auto members =
      extension == ".star" ? star_members(path) : cryosparc_members(path, !parsed.uids.empty());
  std::vector<char> keep(set.size(), 0);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    keep[i] = members.uids.empty() ? members.names.contains(image_name(set, i))
                                   : members.uids.contains(parsed.uids[i]);
    kept += keep[i];
  }
  const std::size_t named = members.uids.size() + members.names.size();
  if (kept < named)
    set.notes.push_back(fmt::format("{} of the {} particles of the subset {} are not in the file",
                                    named - kept, named, path.filename().string()));
  return keep;
}

/// FNV-1a: the same half-set on every machine.
bool second_half(const std::string& name) {
  std::uint64_t hash = 1469598103934665603ull;
  for (const unsigned char c : name) hash = (hash ^ c) * 1099511628211ull;
  return (hash ^ (hash >> 33)) & 1;
}

/// A group without particles has no images to learn its box, pixel size or noise from.
void drop_empty_groups(Parsed& parsed) {
  auto& set = parsed.set;
  std::vector<char> used(set.optics_groups.size(), 0);
  for (const auto& p : set.particles) used[p.optics_group] = 1;
  std::vector<std::uint16_t> renumbered(used.size());
  std::vector<std::string> dropped;
  std::size_t kept = 0;
  for (std::size_t g = 0; g < used.size(); ++g) {
    if (!used[g]) {
      dropped.push_back(set.optics_groups[g].name);
      continue;
    }
    renumbered[g] = static_cast<std::uint16_t>(kept);
    if (kept != g) {
      set.optics_groups[kept] = std::move(set.optics_groups[g]);
      parsed.micrograph_pixel_size[kept] = parsed.micrograph_pixel_size[g];
    }
    ++kept;
  }
  if (dropped.empty()) return;
  set.optics_groups.resize(kept);
  parsed.micrograph_pixel_size.resize(kept);
  for (auto& p : set.particles) p.optics_group = renumbered[p.optics_group];
  set.notes.push_back(fmt::format("optics groups without particles: {}", fmt::join(dropped, ", ")));
}

}  // namespace

void complete_halves(ParticleSet& set) {
  const auto unknown = std::count_if(set.particles.begin(), set.particles.end(),
                                     [](const Particle& p) { return p.half == 0; });
  if (unknown == 0) return;
  if (static_cast<std::size_t>(unknown) < set.size()) {
    set.notes.push_back(fmt::format("{} particles are in neither half-set and are left out", unknown));
    return;
  }
  set.notes.emplace_back("no half-sets in the file: made by particle name");
  for (std::size_t i = 0; i < set.size(); ++i)
    set.particles[i].half = second_half(image_name(set, i)) ? 2 : 1;
}

void select_particles(Parsed& parsed, const ReadOptions& options) {
  auto& set = parsed.set;
  std::vector<char> keep(set.size(), 1);
  if (options.subset) keep = subset_rows(parsed, *options.subset);
  if (options.half) complete_halves(set);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto p = set.particles[i];
    if (!keep[i] || (options.half && p.half != options.half)) continue;
    set.particles[kept] = p;
    set.rows[kept++] = set.rows[i];
  }
  set.particles.resize(kept);
  set.rows.resize(kept);
  if (kept == 0) fail("{}: no particle is left by --subset and --half", set.source.string());
  drop_empty_groups(parsed);
}

}  // namespace cryoscape::particles
